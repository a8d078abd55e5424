// Shows /openapi.json, and sends what people fill in. Everything is put in as text, never as markup.

const METHODS = ["get", "post", "put", "delete"];
/** Longer answers are cut; what is long is better downloaded. */
const LONGEST = 20_000;

/** An element with these properties, and with texts and elements inside. */
function make(name, properties = {}, ...content) {
  const { data = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  Object.assign(element.dataset, data);
  element.append(...content.filter((part) => part !== null && part !== undefined));
  return element;
}

/** What a reference refers to, with what stands beside it. */
function resolve(root, value) {
  if (!value?.$ref) return value ?? {};
  const target = value.$ref.slice(2).split("/").reduce((at, part) => at[part], root);
  return { ...resolve(root, target), ...value, $ref: undefined, name: target.name, called: value.$ref.split("/").pop() };
}

/** A schema in a few words. */
function words(root, given) {
  const schema = resolve(root, given);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => words(root, choice)))].filter((word) => word !== "").join(" or ");
  if (schema.enum) return schema.enum.length > 8 ? schema.called?.toLowerCase() ?? "text" : schema.enum.join(", ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const types = [schema.type ?? "anything"].flat().filter((type) => type !== "null");
  return types.map((type) => (type === "array" ? "list" : type === "string" ? schema.format ?? "text" : type)).join(" or ");
}

function parameterField(root, parameter) {
  const schema = parameter.schema ?? parameter.content?.["application/json"]?.schema;
  const input = make("input", { name: parameter.name, autocomplete: "off", spellcheck: false, placeholder: words(root, schema) });
  input.required = parameter.required === true;
  input.dataset.in = parameter.in;
  return make("label", {}, parameter.name, input, parameter.description ? make("small", {}, parameter.description) : null);
}

function fields(root, given) {
  const schema = resolve(root, given);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const needed = schema.required?.includes(name) ? "" : " · optional";
    const text = resolve(root, property).description;
    return make("tr", {}, make("th", { scope: "row" }, name),
      make("td", {}, make("code", {}, words(root, property)), needed, text ? ` · ${text}` : ""));
  });
  return rows.length ? make("table", { className: "table" }, make("tbody", {}, ...rows)) : null;
}

function answers(root, responses) {
  const rows = Object.entries(responses).map(([status, given]) => {
    const { description } = resolve(root, given);
    return make("tr", {}, make("th", { scope: "row" }, status), make("td", {}, description.replaceAll("`", "")));
  });
  return make("table", { className: "table" }, make("tbody", {}, ...rows));
}

/** Where a filled-in form leads: address and headers. */
function request(form, path) {
  const query = [];
  const headers = {};
  let address = path;
  for (const { name, value, dataset } of form.querySelectorAll(".parameters input")) {
    if (dataset.in === "path") address = address.replace(`{${name}}`, encodeURIComponent(value));
    else if (value === "") continue;
    else if (dataset.in === "query") query.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    else headers[name] = value;
  }
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = `Bearer ${token}`;
  return { address: query.length ? `${address}?${query.join("&")}` : address, headers };
}

async function showBody(response, place) {
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("image/")) {
    place.append(make("img", { src: URL.createObjectURL(await response.blob()), alt: "The picture of the answer" }));
    return;
  }
  const text = make("pre");
  const show = (content) => {
    text.textContent = content.length > LONGEST ? `${content.slice(0, LONGEST)}\n…` : content;
    if (content && !text.isConnected) place.append(text);
  };
  if (type.startsWith("application/json")) {
    const content = await response.text();
    try {
      show(JSON.stringify(JSON.parse(content), null, 2));
    } catch {
      show(content);
    }
  } else if (type.startsWith("text/")) {
    // Live events have no end: what is there is shown.
    let content = "";
    for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      content = (content + value).slice(-LONGEST);
      show(content);
    }
  } else {
    const { size } = await response.blob();
    show(`${size} bytes`);
  }
}

async function send(form, operation, stop) {
  const place = form.querySelector(".answer");
  const { address, headers } = request(form, operation.path);
  const body = form.querySelector("textarea");
  const status = make("p", { className: "status" }, `${operation.method.toUpperCase()} ${address} …`);
  place.replaceChildren(status);
  try {
    if (body) headers["Content-Type"] = operation.type;
    const response = await fetch(address, { method: operation.method.toUpperCase(), headers, body: body?.value, signal: stop.signal });
    status.textContent = `${response.status} ${response.statusText}`;
    status.dataset.good = String(response.ok);
    const shown = ["content-type", "location", "link", "etag", "retry-after", "x-request-id"];
    const lines = shown.flatMap((name) => (response.headers.has(name) ? [`${name}: ${response.headers.get(name)}`] : []));
    place.append(make("pre", { className: "headers" }, lines.join("\n")));
    await showBody(response, place);
  } catch (error) {
    if (error.name === "AbortError") {
      place.append(make("p", { className: "note" }, "Stopped."));
    } else {
      status.textContent = `No answer: ${error.message}`;
      status.dataset.good = "false";
    }
  }
}

function form(root, operation) {
  const all = operation.parameters.map((parameter) => resolve(root, parameter));
  const [type, content] = Object.entries(operation.body?.content ?? {})[0] ?? [];
  const stop = make("button", { type: "button", className: "button", hidden: true }, "Stop");
  const start = make("button", { className: "button primary" }, "Send");
  const body = content && make("textarea", { spellcheck: false, ariaLabel: "Body" });
  if (content?.example) body.value = JSON.stringify(content.example, null, 2);
  if (body) body.rows = body.value.split("\n").length + 1;
  const element = make("form", {},
    all.length ? make("h3", {}, "Parameters") : null,
    all.length ? make("div", { className: "parameters" }, ...all.map((parameter) => parameterField(root, parameter))) : null,
    body ? make("h3", {}, `Body: ${type}`) : null,
    body ?? null,
    content && fields(root, content.schema),
    make("div", { className: "send" }, start, stop),
    make("div", { className: "answer", ariaLive: "polite" }),
    make("h3", {}, "Answers"),
    answers(root, operation.responses));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    start.disabled = true;
    stop.hidden = false;
    await send(element, { ...operation, type }, abort);
    start.disabled = false;
    stop.hidden = true;
  });
  return element;
}

function operationBox(root, operation) {
  const inside = make("div", { className: "inside" });
  const box = make("details", { className: "operation", id: operation.id },
    make("summary", {},
      make("span", { className: "method", data: { method: operation.method } }, operation.method.toUpperCase()),
      make("span", { className: "path" }, operation.path),
      make("span", { className: "what" }, operation.summary)),
    inside);
  box.addEventListener("toggle", () => {
    if (!box.open || inside.hasChildNodes()) return;
    if (operation.description) inside.append(make("p", {}, operation.description));
    inside.append(form(root, operation));
  });
  return box;
}

function operations(root) {
  return Object.entries(root.paths).flatMap(([path, item]) => METHODS.flatMap((method) => {
    const given = item[method];
    if (!given) return [];
    const parameters = [...(item.parameters ?? []), ...(given.parameters ?? [])];
    return [{ path, method, tag: given.tags[0], id: given.operationId, summary: given.summary, description: given.description,
      responses: given.responses, body: given.requestBody, parameters }];
  }));
}

try {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const root = await response.json();
  const all = operations(root);
  const sections = root.tags.map(({ name, description }) => make("section", {},
    make("h2", {}, name),
    make("p", {}, description),
    ...all.filter(({ tag }) => tag === name).map((operation) => operationBox(root, operation))));
  document.getElementById("operations").replaceChildren(...sections);
  document.getElementById("lead").append(` ${root.info.description}`);
  document.getElementById("token-row").hidden = false;
  // A link such as /docs#createFractal opens what it names.
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named) {
    named.open = true;
    named.scrollIntoView();
  }
} catch (error) {
  document.getElementById("docs-error").textContent = `The description can't be loaded: ${error.message}`;
}
