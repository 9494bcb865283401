
// Drawing: strokes on a canvas, asked about while they are drawn; a pen moved by keys.
{
  const canvas = document.getElementById("canvas");
  const pen = document.getElementById("pen");
  const seen = document.getElementById("seen");
  const verdict = document.getElementById("verdict");
  const difference = document.getElementById("difference");
  const table = document.getElementById("said");
  const rows = [...table.querySelectorAll("tbody tr")];
  const file = document.getElementById("file");
  const paper = canvas.getContext("2d");
  const side = canvas.width;
  const thickness = side / 10;
  const stride = side / 28;

  let strokes = [];
  let ground = null;                       // an opened picture, or a test example, under the strokes
  const key = { x: side / 2, y: side / 2, down: false };

  const draw = () => {
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, side, side);
    if (ground) {
      const scale = side / Math.max(ground.width, ground.height);
      const width = ground.width * scale, height = ground.height * scale;
      paper.imageSmoothingEnabled = scale < 1;
      paper.drawImage(ground, (side - width) / 2, (side - height) / 2, width, height);
    }
    paper.lineWidth = thickness;
    paper.lineCap = paper.lineJoin = "round";
    paper.strokeStyle = paper.fillStyle = "#000";
    for (const stroke of strokes) {
      paper.beginPath();
      paper.arc(...stroke[0], thickness / 2, 0, 2 * Math.PI);    // a line without length draws nothing
      paper.fill();
      paper.beginPath();
      for (const point of stroke) paper.lineTo(...point);
      paper.stroke();
    }
  };

  const percent = (value) => (100 * value).toFixed(1) + " %";

  const show = (said) => {
    const [first, second] = said ? said.models : [];
    rows.forEach((row, digit) => {
      row.classList.toggle("best", Boolean(said) && digit === first.label);
      [...row.querySelectorAll("td")].forEach((cell, k) => {
        const value = said ? said.models[k].probabilities[digit] : 0;
        cell.querySelector("i").style.width = 100 * value + "%";
        cell.querySelector(".figure").textContent = said ? percent(value) : "";
      });
    });
    verdict.className = "";
    verdict.textContent = !said ? "Nothing drawn yet"
      : first.label !== second.label
        ? `${first.name}: ${first.class}, ${second.name}: ${second.class}`
        : `${first.class}, ${percent(first.probabilities[first.label])}`;
    difference.textContent = said
      ? "largest difference between the two: " + said.largest_difference.toExponential(1) : "";
    seen.hidden = !said;
    if (said) seen.src = said.pixels;
  };

  const complain = (text) => {
    show(null);
    verdict.className = "bad";
    verdict.textContent = text;
  };

  // One question at a time; what is drawn meanwhile is asked about afterwards.
  let asking = false, waiting = null;
  const ask = async (picture) => {
    if (asking) { waiting = picture; return; }
    asking = true;
    table.ariaBusy = "true";
    try {
      const body = await picture();
      if (body) {
        const type = body.type || "application/octet-stream";
        const answer = await fetch("/predict", { method: "POST", body, headers: { "Content-Type": type } });
        const content = await answer.json();
        if (answer.ok) show(content); else complain(content.error);
      } else {
        show(null);
      }
    } catch {
      complain("The server does not answer; is task=serve still running?");
    }
    asking = false;
    if (waiting) { const next = waiting; waiting = null; ask(next); } else table.ariaBusy = null;
  };

  const drawn = () => new Promise((found) => {
    if (strokes.length || ground) canvas.toBlob(found, "image/png"); else found(null);
  });
  const changed = () => { draw(); ask(drawn); };

  const place = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [(event.clientX - frame.left) * side / frame.width,
            (event.clientY - frame.top) * side / frame.height];
  };

  let pointer = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    lift();
    strokes.push([place(event)]);
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const passed = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of passed.length ? passed : [event]) strokes.at(-1).push(place(one));
    changed();
  });
  const end = (event) => { if (event.pointerId === pointer) { pointer = null; changed(); } };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  const lift = () => { key.down = false; pen.hidden = true; };
  const mark = () => {
    pen.hidden = false;
    pen.classList.toggle("down", key.down);
    pen.style.left = 100 * key.x / side + "%";
    pen.style.top = 100 * key.y / side + "%";
  };
  const undo = () => { if (strokes.length) strokes.pop(); else ground = null; key.down = false; changed(); };
  const clear = () => { strokes = []; ground = null; key.down = false; changed(); };

  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const keys = {
    " ": () => {
      key.down = !key.down;
      if (key.down) { strokes.push([[key.x, key.y]]); changed(); }
    },
    Backspace: undo,
    Escape: clear,
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || pointer !== null) return;
    const move = moves[event.key];
    if (move) {
      key.x = Math.min(side, Math.max(0, key.x + stride * move[0]));
      key.y = Math.min(side, Math.max(0, key.y + stride * move[1]));
      if (key.down) { strokes.at(-1).push([key.x, key.y]); changed(); }
    } else if (keys[event.key]) {
      keys[event.key]();
    } else {
      return;
    }
    event.preventDefault();
    mark();
  });
  canvas.addEventListener("blur", lift);

  document.getElementById("undo").addEventListener("click", undo);
  document.getElementById("clear").addEventListener("click", clear);

  const open = async (picture) => {
    strokes = [];
    try { ground = await createImageBitmap(picture); } catch { ground = null; }  // TIFF, which only the server reads
    draw();
    ask(async () => picture);
  };
  file.addEventListener("change", () => { if (file.files.length) open(file.files[0]); file.value = ""; });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  });

  draw();
  if (!seen.hidden) seen.decode().then(() => { ground = seen.cloneNode(); draw(); });
}
