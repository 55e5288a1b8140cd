// plotly.js is packed in the page; it is unpacked once.
async function unpackPlotly() {
  const packed = Uint8Array.from(atob(byId("plotly").textContent), character => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = element("script", {}, await new Response(unpacked).text());
  document.head.append(script);
  script.remove();
}
