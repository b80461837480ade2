// The worker that keeps this page, and the change to a newer one: never in the middle of a form.

const EVERY_MS = 30 * 60_000;

/** Have the page kept, and let a newer version take over when `isIdle` says that nothing is being typed. */
export async function watchVersions(isIdle) {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return; // no https: the page works, and needs a network to be opened
  const hadOne = Boolean(serviceWorker.controller);
  let leaving = false;
  serviceWorker.addEventListener("controllerchange", () => {
    if (!hadOne || leaving) return;
    leaving = true;
    location.reload();
  });
  const registration = await serviceWorker.register("/pages/collect/worker.js", { scope: "/pages/collect", updateViaCache: "none" });
  const takeOver = () => { if (registration.waiting && isIdle()) registration.waiting.postMessage("take over"); };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", takeOver));
  addEventListener("hashchange", takeOver);
  takeOver();
  setInterval(() => { registration.update().catch(() => {}); }, EVERY_MS);
}
