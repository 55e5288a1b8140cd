// A page that its studies' server shows asks it for new data.
async function follow(refreshS, onnew) {
  let last = byId("data").textContent;
  for (;;) {
    await new Promise(resolve => {
      setTimeout(resolve, refreshS * 1000);
    });
    try {
      const text = await (await fetch("data.json", { cache: "no-cache" })).text();
      if (text === last) continue;
      onnew(JSON.parse(text));
      last = text;
    } catch {
      say("The server does not answer; the page shows what it told last.");
    }
  }
}
