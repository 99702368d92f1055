"use strict";

// The page for trying operations. It reads /openapi.json and builds everything from it; texts are only ever set as
// text, never as HTML.

const byId = (id) => document.getElementById(id);
const state = { api: null, operations: [] };

/** An element with attributes and children; strings become text. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/** A comment of the API: paragraphs, lists and `code`. */
function prose(text) {
  const inline = (line) => line.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
  return (text || "").split("\n\n").filter(Boolean).map((part) => el("p", {}, ...inline(part)));
}

function resolve(schema) {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? { ...state.api.components.schemas[name], ...schema, $ref: undefined } : schema || {};
}

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A value to begin with, made from the schema. */
function sample(given, name = "", depth = 0) {
  const schema = resolve(given);
  if (name === "requestId") return uuid();
  if (schema.format === "date-time") {
    const days = name.toLowerCase().includes("end") ? 2 : 1;
    return `${new Date(Date.now() + days * 86400e3).toISOString().slice(0, 14)}00:00Z`;
  }
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[1] ?? schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "array") return depth < 4 ? [sample(schema.items, "", depth + 1)] : [];
  if (type === "object") {
    const fields = Object.entries(schema.properties || {}).filter(([, field]) => !resolve(field).readOnly);
    return depth < 4 ? Object.fromEntries(fields.map(([key, field]) => [key, sample(field, key, depth + 1)])) : {};
  }
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (schema.format === "int64" || schema.format === "uint64") return "0";
  return "";
}

function readOperations() {
  for (const [path, methods] of Object.entries(state.api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      state.operations.push({ ...operation, path, method: method.toUpperCase() });
    }
  }
}

function showList() {
  const wanted = byId("find").value.trim().toLowerCase();
  const matches = (op) => `${op.method} ${op.path} ${op.summary} ${op.operationId}`.toLowerCase().includes(wanted);
  const current = decodeURIComponent(location.hash.slice(1));
  byId("list").replaceChildren(
    ...state.api.tags.flatMap((tag) => {
      const links = state.operations.filter((op) => op.tags.includes(tag.name) && matches(op)).map((op) =>
        el("a", { href: `#${op.operationId}`, "aria-current": op.operationId === current ? "page" : undefined },
          op.operationId.split("_")[1],
          el("span", { class: "path" }, el("span", { class: "verb" }, op.method), ` ${op.path}`)));
      return links.length ? [el("h2", {}, tag.name), ...links] : [];
    }),
  );
}

function parameterField(parameter) {
  const schema = resolve(parameter.schema);
  const item = schema.type === "array" ? resolve(schema.items) : schema;
  const id = `p-${parameter.name}`;
  const value = parameter.required ? String(sample(item, parameter.name)) : "";
  const hint = value || (item.format === "date-time" ? sample(item, parameter.name) : item.example);
  const input = item.enum && schema.type !== "array"
    ? el("select", { id }, el("option", { value: "" }, "–"), ...item.enum.map((name) => el("option", {}, name)))
    : el("input", { id, value: parameter.in === "path" ? "" : value, placeholder: hint, required: parameter.required });
  const many = schema.type === "array" ? ` Several, separated by commas${item.enum ? `: ${item.enum.join(", ")}` : ""}.` : "";
  const label = el("label", { for: id, class: parameter.required ? "needed" : undefined }, parameter.name);
  return el("div", { class: "field" }, label, input, el("small", {}, `${parameter.description || ""}${many}`));
}

function buildUrl(operation) {
  let path = operation.path;
  const query = new URLSearchParams();
  for (const parameter of operation.parameters) {
    const value = byId(`p-${parameter.name}`).value.trim();
    if (parameter.in === "path") {
      // Somebody may paste a whole resource name where its last part is asked for.
      path = path.replace(`{${parameter.name}}`, encodeURIComponent(value.split("/").pop()));
    } else if (value) {
      const many = resolve(parameter.schema).type === "array";
      for (const part of many ? value.split(",") : [value]) query.append(parameter.name, part.trim());
    }
  }
  return path + (query.size ? `?${query}` : "");
}

function buildRequest(operation) {
  const headers = {};
  const token = byId("token").value.trim();
  // An old token would only get in the way of signing in again.
  if (token && operation.security.length) headers.Authorization = `Bearer ${token}`;
  const body = byId("body")?.value;
  if (body) headers["Content-Type"] = "application/json";
  return { method: operation.method, headers, body: body || undefined };
}

function curl(url, { method, headers, body }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const shown = Object.entries(headers).map(([name, value]) =>
    `-H ${name === "Authorization" ? '"Authorization: Bearer $TOKEN"' : quote(`${name}: ${value}`)}`);
  return ["curl -sS -X", method, ...shown, body ? `-d ${quote(body)}` : "", quote(location.origin + url)]
    .filter(Boolean).join(" ");
}

async function send(operation, event) {
  event.preventDefault();
  const url = buildUrl(operation);
  const request = buildRequest(operation);
  const output = el("pre");
  const status = el("p", { role: "status" }, "sent …");
  byId("answer").replaceChildren(el("h2", {}, "Answer"), status, output, el("h2", {}, "As a command"), el("pre", {}, curl(url, request)));
  const started = performance.now();
  try {
    const response = await fetch(url, request);
    const took = Math.round(performance.now() - started);
    const id = response.headers.get("x-request-id");
    status.textContent = `${response.status} ${response.statusText} · ${took} ms · request ${id}`;
    status.className = response.ok ? "" : "bad";
    await showBody(response, output);
  } catch (error) {
    status.textContent = `No answer: ${error.message}`;
    status.className = "bad";
  }
}

async function showBody(response, output) {
  if ((response.headers.get("content-type") || "").startsWith("application/x-ndjson")) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) output.append(part.value);
    return;
  }
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    output.textContent = text || "(empty)";
    return;
  }
  output.textContent = JSON.stringify(json, null, 2);
  const token = json.accessToken || json.tokens?.accessToken || json.session?.accessToken;
  if (token) {
    byId("token").value = token;
    output.after(el("p", { class: "soft" }, "The access token was put into the field above; the next calls carry it."));
  }
}

function showOperation() {
  const id = decodeURIComponent(location.hash.slice(1));
  const operation = state.operations.find((op) => op.operationId === id) || state.operations[0];
  if (!operation) return;
  const content = operation.requestBody?.content;
  const json = content?.["application/json"];
  const main = byId("operation");
  main.replaceChildren(
    el("h1", {}, operation.summary || operation.operationId),
    el("p", { class: "endpoint" }, el("span", { class: "verb" }, operation.method), " ", el("code", {}, operation.path)),
    ...prose(operation.description),
    el("p", { class: "soft" }, operation.security.length ? "Needs an access token. " : "Needs no token. ",
      "Over gRPC: ", el("code", {}, operation["x-grpc-method"])),
    el("form", { onsubmit: (event) => send(operation, event) },
      ...operation.parameters.map(parameterField),
      json && el("label", { for: "body" }, "Body (JSON)"),
      json && el("textarea", { id: "body", spellcheck: "false" }, JSON.stringify(sample(json.schema), null, 2)),
      content && !json && el("label", { for: "body" }, "Body, sent as it is"),
      content && !json && el("textarea", { id: "body", spellcheck: "false" }),
      el("p", {}, el("button", {}, "Send"))),
    el("section", { id: "answer", "aria-live": "polite" }),
  );
  main.scrollTop = 0;
  showList();
}

async function start() {
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(`status ${response.status}`);
    state.api = await response.json();
  } catch (error) {
    byId("loading").textContent = `The operations can't be read: ${error.message}. Load the page again.`;
    return;
  }
  readOperations();
  showOperation();
  byId("find").addEventListener("input", showList);
  window.addEventListener("hashchange", showOperation);
}

start();
