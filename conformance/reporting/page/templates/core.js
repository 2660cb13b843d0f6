// Building elements, unpacking data, and what the fragment of the address says. Text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
const el = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);
const several = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const unpacked = new Map();

/** The data that was packed under that name; unpacked once. */
function data(name) {
  if (!unpacked.has(name)) unpacked.set(name, unpack(document.getElementById(name).textContent));
  return unpacked.get(name);
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// --- the fragment: #verdict=fail,error&group=B&level=…&text=…&differ=yes&cell=PROVIDER/ID&case=ID ---------------------

const NO_FILTER = { verdict: [], group: "", level: "", text: "", differ: "" };

/** What a fragment asks for; null for one that is the place of a heading, or none of ours. */
function asked(fragment) {
  const raw = fragment.replace(/^#/, "");
  if (raw && !raw.includes("=")) return null;
  const parts = {};
  for (const pair of raw.split("&").filter(Boolean)) {
    const at = pair.indexOf("=");
    parts[pair.slice(0, at)] = pair.slice(at + 1);
  }
  const say = (name) => plain(parts[name] ?? "");
  const [provider, id] = (parts.cell ?? "").split("/").map(plain);
  return {
    filters: { ...NO_FILTER, verdict: say("verdict").split(",").filter(Boolean), group: say("group"),
               level: say("level"), text: say("text"), differ: say("differ") },
    cell: id === undefined ? null : { provider, id },
    case: say("case"),
  };
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % that somebody typed
  }
}

function fragment(state) {
  const said = Object.entries(state.filters).filter(([, value]) => value.length)
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
  if (state.cell) said.push(`cell=${encodeURIComponent(state.cell.provider)}/${encodeURIComponent(state.cell.id)}`);
  if (state.cell && state.case) said.push(`case=${encodeURIComponent(state.case)}`);
  return said.length ? `#${said.join("&")}` : "#";
}
