// Makes elements. What comes from the process is text, and becomes text: there is no way here to make markup of it.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (those that are null are left out) and children: nodes, or anything as text. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const byID = (id) => document.getElementById(id);

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows `children` in `node`, or hides it where there are none. */
function show(node, ...children) {
  node.hidden = children.length === 0;
  node.replaceChildren(...children);
}

/** Says something to those who listen to the page, once. */
function announce(text) {
  setText(byID("announcement"), text);
}

function badge(text, kind) {
  return element("span", { class: `badge ${kind}` }, text);
}

/** A cell that holds a number. */
function numberCell(text, ...aside) {
  return element("td", { class: "number" }, text, ...aside);
}

function tableOf(headings, rows) {
  const head = headings.map(([text, kind]) => element("th", { scope: "col", class: kind }, text));
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}
