// Asks for /status.json again and again, and shows what it says.

const readings = new Readings();
let timer = null;
let asking = false;

/** Asks once. Never twice at the same time: a slow process is not asked more often than it answers. */
async function poll() {
  if (asking) return;
  asking = true;
  try {
    const known = readings.last?.configuration.id;
    const answer = await fetch(known === undefined ? "/status.json" : `/status.json?configuration=${known}`);
    if (!answer.ok) throw new Error((await answer.json()).error);
    const status = await answer.json();
    if (status.policy) takePolicy(status.policy);
    readings.add(status);
    showStatus();
    show(byID("lost"));
  } catch (error) {
    const since = readings.last ? ` since ${new Date(readings.last.process.now * 1000).toLocaleTimeString("en-GB")}` : "";
    const text = `The process does not answer${since}. What is below is what it said last.`;
    if (byID("lost").textContent !== text) show(byID("lost"), text);
  } finally {
    asking = false;
  }
}

function showStatus() {
  const status = readings.last;
  showHead(status);
  showTiles(readings);
  showPlots(readings);
  showRefusals(readings);
  showParts(status);
  showPolicy(readings);
}

/** Nobody is asked for a page that nobody looks at. */
function schedule() {
  clearInterval(timer);
  const pause = Number(byID("every").value);
  timer = pause > 0 ? setInterval(() => { if (!document.hidden) poll(); }, pause) : null;
}

byID("every").addEventListener("change", schedule);
byID("search").addEventListener("input", () => { if (readings.last) showPolicy(readings); });
byID("order").addEventListener("change", () => { if (readings.last) showPolicy(readings); });
for (const choice of document.querySelectorAll("input[name=caller]")) choice.addEventListener("change", showCaller);
byID("question").addEventListener("submit", (event) => { event.preventDefault(); explain(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
showCaller();
poll();
schedule();
