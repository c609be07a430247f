// A button with which a visitor objects to being counted, for the visitor's page and for any page of a site:
// <button type="button" hidden data-passerby-objection data-object="Object" data-agree="Count me again"></button>
// The objection is a word in this browser's own storage, which the page script heeds before it says anything.
(() => {
  const key = 'plausible_ignore';
  const objects = () => {
    try {
      return localStorage.getItem(key) === 'true';
    } catch {
      return false;
    }
  };
  for (const button of document.querySelectorAll('[data-passerby-objection]')) {
    const show = () => {
      button.textContent = objects() ? button.dataset.agree : button.dataset.object;
      button.setAttribute('aria-pressed', String(objects()));
    };
    button.addEventListener('click', () => {
      if (objects()) localStorage.removeItem(key);
      else localStorage.setItem(key, 'true');
      show();
    });
    show();
    button.hidden = false;
  }
})();
