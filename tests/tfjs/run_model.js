// node run_model.js PACKAGES MODEL_DIRECTORY: feeds from stdin, {name: {shape, dtype, values}}, to
// TensorFlow.js's own graph executor; prints {name: {shape, values}}. PACKAGES holds node_modules.
const fs = require("fs");
const path = require("path");
const [packages, directory] = process.argv.slice(2);
const load = (name) => require(path.join(packages, "node_modules", "@tensorflow", name));
const tf = load("tfjs-core");
load("tfjs-backend-cpu");
const converter = load("tfjs-converter");

async function main() {
  await tf.setBackend("cpu");
  const model = JSON.parse(fs.readFileSync(path.join(directory, "model.json")));
  const parts = model.weightsManifest.flatMap((group) => group.paths)
    .map((name) => fs.readFileSync(path.join(directory, name)));
  const bytes = Buffer.concat(parts);
  const loaded = await converter.loadGraphModel({
    load: async () => ({
      modelTopology: model.modelTopology, format: model.format, signature: model.signature,
      weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    }),
  });
  const answers = [];
  for (const feeds of JSON.parse(fs.readFileSync(0))) {
    const inputs = Object.fromEntries(Object.entries(feeds).map(
      ([name, {shape, dtype, values}]) => [name, tf.tensor(values, shape, dtype)]));
    const names = Object.keys(model.signature.outputs);
    const made = await loaded.executeAsync(inputs, names);
    const results = Array.isArray(made) ? made : [made];
    answers.push(Object.fromEntries(results.map(
      (tensor, at) => [names[at], {shape: tensor.shape, values: Array.from(tensor.dataSync())}])));
  }
  console.log(JSON.stringify(answers));
}
console.warn = () => {};
main().catch((error) => { console.error(error); process.exit(1); });
