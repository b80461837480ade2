// The worker that keeps this page, and the change to a newer one: never in the middle of a form.

const EVERY_MS = 30 * 60_000;

/** Have the page kept, and let a newer version take over when `isIdle` says that nothing is being typed. */
export async function watchVersions(isIdle) {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return; // no https: the page works, and needs a network to be opened
  let hadOne = Boolean(serviceWorker.controller);
  let leaving = false;
  let isOld = false;
  // Another tab may have let it take over while a form is being filled in here.
  const leave = () => {
    if (!isOld || leaving || !isIdle()) return;
    leaving = true;
    location.reload();
  };
  serviceWorker.addEventListener("controllerchange", () => {
    isOld ||= hadOne;
    hadOne = true; // the first one takes nothing over
    leave();
  });
  addEventListener("hashchange", leave);
  const registration = await serviceWorker.register("/pages/collect/worker.js", { scope: "/pages/collect", updateViaCache: "none" });
  const takeOver = () => { if (registration.waiting && isIdle()) registration.waiting.postMessage("take over"); };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", takeOver));
  addEventListener("hashchange", takeOver);
  takeOver();
  setInterval(() => { registration.update().catch(() => {}); }, EVERY_MS);
}
