// Runs before the page is drawn: the language that was chosen, for the kept page may be in another, and day or night.

(() => {
  const chosen = /(?:^|; )lang=(zh|en)/.exec(document.cookie)?.[1];
  if (chosen) document.documentElement.lang = chosen === "en" ? "en" : "zh-CN";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    let wish = "";
    try {
      wish = localStorage.getItem("light") ?? "";
    } catch {
      // nothing is kept here: the phone decides
    }
    document.documentElement.dataset.light = wish || (dark.matches ? "night" : "day");
  };
  paint();
  dark.addEventListener("change", paint);
  addEventListener("light", paint);
})();
