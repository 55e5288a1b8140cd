// plotly.js is packed in the page; it is unpacked and started, which takes a third of a second, once the rest is drawn.
let plotly = null;

function loadPlotly() {
  plotly ??= unpackPlotly();
  return plotly;
}

async function unpackPlotly() {
  const text = atob(byId("plotly").textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) packed[i] = text.charCodeAt(i);
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = element("script", {}, await new Response(unpacked).text());
  document.head.append(script);
  script.remove();
}
