// Light or dark before anything is painted: what was chosen here before, or else what the system says.
'use strict';
{
  let chosen = null;
  try {
    chosen = localStorage.getItem('srt.theme');
  } catch {
    // A browser that keeps nothing follows the system.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
}
