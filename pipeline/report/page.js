"use strict";

// The pointer over a chart: a line at the nearest step, and what each series had there.
for (const plot of document.querySelectorAll("svg[data-plot]")) {
  const series = JSON.parse(plot.dataset.plot);
  const cursor = plot.querySelector(".cursor");
  const box = document.createElement("div");
  box.className = "tip";
  box.hidden = true;
  plot.after(box);

  const nearest = (points, x) => points.reduce(
    (best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);

  const line = (text, name) => {
    const row = document.createElement(name);
    row.textContent = text;
    return row;
  };

  const show = (event) => {
    const frame = plot.getBoundingClientRect();
    const scale = plot.viewBox.baseVal.width / frame.width;
    const x = (event.clientX - frame.left) * scale;
    const found = series.map((one) => nearest(one.points, x));
    const at = nearest(found, x);
    cursor.setAttribute("x1", at[0]);
    cursor.setAttribute("x2", at[0]);
    cursor.setAttribute("visibility", "visible");
    box.replaceChildren(line(at[1], "b"), ...series.flatMap((one, k) =>
      found[k][0] === at[0] ? [line(one.name + " " + found[k][2], "span")] : []));
    box.hidden = false;
    const left = at[0] / scale;
    box.style.left = left + "px";
    box.classList.toggle("before", left > frame.width / 2);
  };

  const hide = () => {
    cursor.setAttribute("visibility", "hidden");
    box.hidden = true;
  };

  if (series.length) {
    plot.addEventListener("pointermove", show);
    plot.addEventListener("pointerdown", show);
    plot.addEventListener("pointerleave", hide);
  }
}

// Paper has no clicks: everything but asides is open while printing.
const opened = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open], .aside)")) {
    part.open = true;
    opened.push(part);
  }
});
addEventListener("afterprint", () => {
  while (opened.length) opened.pop().open = false;
});
