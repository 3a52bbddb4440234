// Plots: a few lines over time each, as SVG.

const WIDTH = 300;
const HEIGHT = 100;

/** A plot of `lines` ({name, values, text}): values are numbers, or null where there is none; `text` says the current one. */
class Plot {
  constructor(title, format) {
    this.title = title;
    this.format = format;
    this.keys = element("span");
    this.top = element("span");
    this.time = element("span");
    this.svg = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    this.figure = element("figure", {},
      element("figcaption", {}, title, this.keys),
      element("div", { class: "plot" }, this.svg),
      element("div", { class: "scale" }, this.time, this.top, element("span", {}, "now")));
    this.keys.className = "controls";
  }

  draw(lines, seconds) {
    const finite = lines.flatMap((line) => line.values).filter((each) => each !== null && Number.isFinite(each));
    const most = roundUp(Math.max(0, ...finite));
    this.svg.setAttribute("aria-label",
      `${this.title}, last ${spanText(seconds)}: ${lines.map((line) => `${line.name} ${line.text}`).join(", ")}`);
    this.svg.replaceChildren(...lines.flatMap((line, index) => segments(line.values, most)
      .map((points) => drawing("polyline", { class: `series-${index}`, points }))));
    setText(this.top, finite.length > 0 ? `0 to ${this.format(most)}` : "no data yet");
    setText(this.time, seconds > 0 ? `${spanText(seconds)} ago` : "");
    this.keys.replaceChildren(...lines.map((line, index) => element("span", { class: "key" },
      drawing("svg", { class: "swatch", viewBox: "0 0 26 10", "aria-hidden": "true" },
        drawing("line", { class: `series-${index}`, x1: 0, y1: 5, x2: 26, y2: 5 })),
      `${line.name} ${line.text}`)));
  }
}

/** The points of each run of values that are there; a lone one becomes a short line. */
function segments(values, most) {
  const step = WIDTH / Math.max(1, values.length - 1);
  const runs = [];
  let run = [];
  for (const [index, value] of [...values, null].entries()) {
    if (value !== null) {
      const height = most > 0 ? Math.min(1, value / most) : 0;
      run.push(`${(index * step).toFixed(1)},${(HEIGHT - 2 - height * (HEIGHT - 8)).toFixed(1)}`);
    } else if (run.length > 0) {
      if (run.length === 1) run.push(run[0].replace(/^[\d.]+/, (left) => (Number(left) + 2).toFixed(1)));
      runs.push(run.join(" "));
      run = [];
    }
  }
  return runs;
}

/** The next of 1, 2, 5, 10, … at or above a value. */
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value * 0.999999) ?? value;
}
