// Live events: a connection that comes back by itself, and a way to fetch a page anew.

/**
 * Calls onEvent for every event and onOpen whenever a connection stands: what happened before it may have been missed.
 * onState is told "live" or "waiting". Returns a function that closes the connection.
 */
export function watch({ onEvent, onOpen, onState = () => {} }) {
  let source;
  let retry;
  let delay = 1000;

  const connect = () => {
    source = new EventSource("/v1/events");
    source.addEventListener("open", () => {
      delay = 1000;
      onState("live");
      onOpen();
    });
    source.addEventListener("fractal", (message) => {
      try {
        onEvent(JSON.parse(message.data));
      } catch (error) {
        console.warn("An event that is no JSON was left out.", error);
      }
    });
    source.addEventListener("error", () => {
      onState("waiting");
      // The browser reconnects after a broken connection, but not after an answer such as 503.
      if (source.readyState === EventSource.CLOSED) {
        clearTimeout(retry);
        retry = setTimeout(connect, delay * (0.75 + Math.random() / 2));
        delay = Math.min(delay * 2, 30000);
      }
    });
  };

  connect();
  return () => {
    clearTimeout(retry);
    source.close();
  };
}

/** The page at this address as it is now, as a document; null if there is none (404). */
export async function fetchPage(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Replaces what `selector` matches in this page by what it matches in another one. */
export function adopt(selector, other) {
  const here = document.querySelector(selector);
  const there = other.querySelector(selector);
  if (!here || !there) return;
  here.hidden = there.hidden;
  if (here.innerHTML !== there.innerHTML) {
    here.replaceChildren(...[...there.childNodes].map((node) => document.importNode(node, true)));
  }
}
