
// A picture that is opened or dropped is sent as it is; the answer fills the table.
{
  const seen = document.getElementById("seen");
  const verdict = document.getElementById("verdict");
  const difference = document.getElementById("difference");
  const table = document.getElementById("said");
  const rows = [...table.querySelectorAll("tbody tr")];
  const file = document.getElementById("file");

  const percent = (value) => (100 * value).toFixed(1) + " %";

  const show = (said) => {
    const [first, second] = said.models;
    rows.forEach((row, label) => {
      row.classList.toggle("best", label === first.label);
      [...row.querySelectorAll("td")].forEach((cell, k) => {
        const value = said.models[k].probabilities[label];
        cell.querySelector("i").style.width = 100 * value + "%";
        cell.querySelector(".figure").textContent = percent(value);
      });
    });
    verdict.className = "";
    verdict.textContent = first.label !== second.label
      ? `${first.name}: ${first.class}, ${second.name}: ${second.class}`
      : `${first.class}, ${percent(first.probabilities[first.label])}`;
    difference.textContent = `largest difference between the two: ${said.largest_difference.toExponential(1)}`;
    seen.src = said.pixels;
    seen.hidden = false;
  };

  const complain = (text) => { verdict.className = "bad"; verdict.textContent = text; };

  const ask = async (body) => {
    try {
      const type = body.type || "application/octet-stream";
      const answer = await fetch("/predict", { method: "POST", body, headers: { "Content-Type": type } });
      const content = await answer.json();
      if (answer.ok) show(content); else complain(content.error);
    } catch {
      complain("The server does not answer; is task=serve still running?");
    }
  };

  file?.addEventListener("change", () => { if (file.files.length) ask(file.files[0]); });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (file && event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
  });
}
