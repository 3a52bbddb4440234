// The explain form: the question to /explain, the answer step by step.

const caller = () => document.querySelector("input[name=caller]:checked").value;

function showCaller() {
  byID("claims-field").hidden = caller() !== "claims";
  byID("token-field").hidden = caller() !== "token";
}

/** What the form asks, as /explain takes it. */
function question() {
  const asked = { method: byID("method").value.trim(), path: byID("path").value.trim() };
  const headers = byID("headers").value.split("\n").filter((line) => line.trim() !== "");
  if (headers.length > 0) asked.headers = headers;
  if (caller() === "claims") asked.claims = byID("claims").value;
  if (caller() === "token") asked.token = byID("token").value.trim();
  return asked;
}

async function explain() {
  const button = document.querySelector("#question button");
  button.disabled = true;
  show(byID("explanation"));
  try {
    const answer = await fetch("/explain", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question()),
    });
    const said = await answer.json();
    if (answer.ok) showExplanation(said); else showVerdict(`Not explained: ${said.error}`, "bad");
  } catch (error) {
    showVerdict("Not explained: the process does not answer", "bad");
  } finally {
    button.disabled = false;
    button.focus();
  }
}

function showVerdict(text, kind) {
  const node = byID("verdict");
  node.className = `verdict ${kind}`;
  setText(node, text);
}

function showExplanation(said) {
  const { allowed, status, code, detail, forwarded } = said;
  if (forwarded) {
    showVerdict(`Allowed: ${forwarded.upstream} gets it`, "good");
  } else if (code) {
    showVerdict(`Denied: ${status} ${code}. ${detail}`, "bad");
  } else {
    showVerdict(`${allowed ? "Answered by the proxy" : "Denied to the browser"}: ${status}`, allowed ? "good" : "bad");
  }
  const parts = [
    element("p", { class: "muted" }, said.route === null ? "No route" : `Route ${said.route}`),
    element("ol", { class: "steps" }, ...said.steps.map(stepItem)),
  ];
  if (forwarded) {
    parts.push(element("h3", {}, "What the service gets"),
      element("pre", {}, [forwarded.request_line, ...forwarded.headers.map(fieldText)].join("\n")));
  } else if (said.answer_headers?.length > 0) {
    parts.push(element("h3", {}, "What the client gets"),
      element("pre", {}, [`${status}`, ...said.answer_headers.map(fieldText)].join("\n")));
  }
  if (said.problem) parts.push(element("pre", {}, JSON.stringify(said.problem, null, 2)));
  show(byID("explanation"), ...parts);
}

const fieldText = ({ name, value }) => `${name}: ${value}`;

const OUTCOMES = {
  ok: ["ok", "good"], refused: ["refused", "bad"], not_needed: ["not needed", "muted"], not_reached: ["not reached", "muted"],
};

function stepItem(step) {
  const [word, kind] = OUTCOMES[step.outcome] ?? [step.outcome, "muted"];
  const conditions = (step.conditions ?? []).map((each) => {
    const state = each.by_admin ? ["admin", "good"] : each.held ? ["held", "good"] : ["missing", "bad"];
    return element("li", {}, badge(...state), " ", each.text);
  });
  return element("li", {},
    element("span", {}, step.stage), element("span", {}, badge(word, kind)),
    element("ul", {}, ...conditions, ...step.facts.map((fact) => element("li", {}, fact))));
}
