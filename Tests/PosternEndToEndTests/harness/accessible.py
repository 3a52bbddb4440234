"""What can be said of a page's accessibility by looking at it: contrast, labels, references. JavaScript for DevTools."""

# Text whose contrast with what is behind it is under 4.5 (WCAG 2.2, 1.4.3), as [text, contrast].
CONTRAST = """(() => {
  const channel = (value) => value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
  const light = ({r, g, b}) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a > 0) throw new Error("a translucent background");
    }
    return {r: 255, g: 255, b: 255};
  };
  const poor = [];
  for (const node of document.body.querySelectorAll("*")) {
    const said = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim() !== "") || node.value;
    if (!said || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION", "METER"].includes(node.tagName) || node.disabled) continue;
    if (!node.checkVisibility() || node.namespaceURI.endsWith("svg")) continue;
    const [one, other] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) poor.push([node.textContent.slice(0, 40), contrast]);
  }
  return poor;
})()"""

# Faults of structure: controls without a label, references to nothing, ids that are there twice, headings out of order.
STRUCTURE = """(() => {
  const faults = [];
  for (const node of document.querySelectorAll("input, select, textarea")) {
    if (node.labels.length === 0) faults.push("no label: " + node.id);
  }
  for (const node of document.querySelectorAll("*")) {
    for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for", "list"]) {
      for (const id of (node.getAttribute(name) || "").split(" ").filter((each) => each)) {
        if (!document.getElementById(id)) faults.push(name + " of nothing: " + id);
      }
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  faults.push(...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => "twice: " + id));
  const levels = [...document.querySelectorAll("h1, h2, h3")].map((node) => Number(node.tagName[1]));
  if (levels[0] !== 1 || levels.some((each, index) => index > 0 && each > levels[index - 1] + 1)) faults.push("headings " + levels);
  for (const node of document.querySelectorAll("th")) if (!node.scope) faults.push("no scope: " + node.textContent);
  for (const node of document.querySelectorAll("svg[role=img]")) if (!node.getAttribute("aria-label")) faults.push("a drawing");
  return faults;
})()"""
