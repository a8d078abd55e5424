//! PNG's chunks: length, type, bytes, CRC-32 of type and bytes.

use std::io::{self, Read, Write};

/// Compressed pixels.
pub(crate) const IDAT: [u8; 4] = *b"IDAT";
/// Length and type, and the CRC.
const HEAD: usize = 8;
const CRC: usize = 4;

/// Writes a chunk whose bytes come in parts.
///
/// # Errors
/// When `out` fails, or the chunk is beyond 2 GiB.
pub(crate) fn write(out: &mut dyn Write, kind: [u8; 4], parts: &[&[u8]]) -> io::Result<()> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let len = i32::try_from(len)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a PNG chunk beyond 2 GiB"))?;
    out.write_all(&len.to_be_bytes())?;
    out.write_all(&kind)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&kind);
    for part in parts {
        out.write_all(part)?;
        crc.update(part);
    }
    out.write_all(&crc.finalize().to_be_bytes())
}

/// Reads a chunk of this type and of at most so many bytes, and returns all of it, from its length to its CRC.
///
/// # Errors
/// When `input` fails, or holds another type or length, or bytes that their CRC does not fit.
pub(crate) fn read(input: &mut dyn Read, kind: [u8; 4], most: u64) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD];
    input.read_exact(&mut head)?;
    let [l0, l1, l2, l3, found @ ..] = head;
    let len = u32::from_be_bytes([l0, l1, l2, l3]);
    if found != kind {
        return Err(invalid("another chunk than expected"));
    }
    if u64::from(len) > most {
        return Err(invalid("a chunk that is too long"));
    }
    let mut chunk = vec![0; HEAD + len as usize + CRC];
    chunk[..HEAD].copy_from_slice(&head);
    input.read_exact(&mut chunk[HEAD..])?;
    let (checked, crc) = chunk.split_at(chunk.len() - CRC);
    if crc32fast::hash(&checked[HEAD - kind.len()..]).to_be_bytes() != *crc {
        return Err(invalid("a chunk with the wrong CRC"));
    }
    Ok(chunk)
}

/// The bytes in a whole chunk.
pub(crate) fn bytes(chunk: &[u8]) -> &[u8] {
    &chunk[HEAD..chunk.len() - CRC]
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_read_as_it_was_written_and_no_flipped_bit_is_overlooked() {
        let mut chunk = Vec::new();
        write(&mut chunk, IDAT, &[b"some", b" bytes"]).unwrap();
        let read = |chunk: &[u8]| read(&mut &chunk[..], IDAT, 10);
        assert_eq!(read(&chunk).unwrap(), chunk);
        assert_eq!(bytes(&chunk), b"some bytes");
        for bit in 0..8 * chunk.len() {
            let mut bad = chunk.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_chunk_of_another_type_or_length_is_refused() {
        let mut chunk = Vec::new();
        write(&mut chunk, *b"IEND", &[b"some bytes"]).unwrap();
        assert!(read(&mut &chunk[..], IDAT, 10).is_err());
        assert!(read(&mut &chunk[..], *b"IEND", 9).is_err());
        assert!(read(&mut &chunk[..], *b"IEND", 10).is_ok());
    }
}
