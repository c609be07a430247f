// What the script adds to pages that work without it: numbers at the pointer, live numbers, keys, and menus that close.
// It stores nothing but that somebody wants no keys, and asks nobody but the server that it came from.
'use strict';

const all = (selector) => [...document.querySelectorAll(selector)];

// Charts: the numbers of the bucket under the pointer, or of the one that the arrow keys have reached.
function follow(drawing) {
  const points = [...drawing.querySelectorAll('.point, .bar')];
  if (points.length === 0) return;
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  tip.setAttribute('role', 'status');
  drawing.append(tip);
  const texts = points.map((point) => {
    const title = point.querySelector('title');
    const text = title.textContent;
    // The browser's own hint would cover this one.
    title.remove();
    return text;
  });
  let shown = -1;
  const tell = (text, over) => {
    tip.hidden = false;
    tip.replaceChildren(...text.split('\n').map((line) => {
      const row = document.createElement('div');
      row.textContent = line;
      return row;
    }));
    const frame = drawing.getBoundingClientRect();
    const column = over.querySelector('rect').getBoundingClientRect();
    const middle = column.left + column.width / 2 - frame.left;
    const room = frame.width - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(room, middle - tip.offsetWidth / 2))}px`;
  };
  const show = (place) => {
    points[shown]?.classList.remove('shown');
    shown = place;
    tip.hidden = true;
    tip.classList.remove('list');
    if (place < 0) return;
    points[place].classList.add('shown');
    tell(texts[place], points[place]);
  };
  points.forEach((point, place) => point.addEventListener('pointerenter', () => show(place)));
  for (const mark of drawing.querySelectorAll('.marks a')) {
    const title = mark.querySelector('title');
    const said = title.textContent;
    title.remove();
    // The bucket of the mark, with its number; of one that stands for several, or for days to come, what is said there.
    const point = points[mark.dataset.place];
    const look = () => {
      show(point ? Number(mark.dataset.place) : -1);
      tip.classList.toggle('list', !point);
      if (!point) tell(said, mark);
    };
    for (const event of ['pointerenter', 'focus']) mark.addEventListener(event, look);
  }
  drawing.addEventListener('pointerleave', () => show(-1));
  drawing.tabIndex = 0;
  drawing.setAttribute('role', 'group');
  drawing.setAttribute('aria-label', drawing.querySelector('[role=img]').getAttribute('aria-label'));
  drawing.addEventListener('blur', () => show(-1));
  drawing.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const from = shown < 0 ? (step > 0 ? -1 : points.length) : shown;
    show(Math.max(0, Math.min(points.length - 1, from + step)));
  });
}

const followAll = () => all('.drawing').forEach(follow);
followAll();

// Menus: a click elsewhere, or Escape, closes them.
addEventListener('click', (event) => {
  for (const menu of all('.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
});

// Keys: a control says by data-key which letter it listens to. Whoever speaks to the machine, or touches keys by accident,
// switches them off at the foot of the page.
const KEYS_OFF = 'passerby-keys-off';
function keysAreOn() {
  try {
    return !localStorage.getItem(KEYS_OFF);
  } catch {
    return true;
  }
}
for (const keys of all('[data-keys]')) {
  const letters = all('[data-key]').map((control) => control.dataset.key);
  const say = () => {
    keys.textContent = keysAreOn() ? keys.dataset.on.replace('{}', letters.join(', ')) : keys.dataset.off;
  };
  keys.hidden = letters.length === 0;
  keys.addEventListener('click', () => {
    try {
      if (keysAreOn()) localStorage.setItem(KEYS_OFF, '1');
      else localStorage.removeItem(KEYS_OFF);
    } catch {
      // Where nothing may be stored they stay on.
    }
    say();
  });
  say();
}
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    const open = document.querySelector('.menu[open]');
    if (open) {
      open.open = false;
      open.querySelector('summary').focus();
    }
    return;
  }
  const writes = event.target.closest('input, select, textarea');
  if (!keysAreOn() || writes || event.ctrlKey || event.metaKey || event.altKey) return;
  const control = all('[data-key]').find((element) => element.dataset.key === event.key);
  if (!control) return;
  event.preventDefault();
  control.focus();
  if (control.matches('summary')) control.click();
});

// What a form did is said once: neither a reload nor a bookmark says it again.
const here = new URL(location);
if (['saved', 'removed'].some((told) => here.searchParams.has(told))) {
  for (const told of ['saved', 'removed']) here.searchParams.delete(told);
  history.replaceState(history.state, '', here);
}

// A field that begins with a default takes what is this browser's own instead, for the one who fills it in.
for (const field of all('[data-own=timezone]')) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}

// What is to be copied elsewhere has a button for that beside it: whoever has no script selects the text.
function copyable(text) {
  const { copy, copied, of } = text.dataset;
  const [frame, button, told] = ['span', 'button', 'span'].map((name) => document.createElement(name));
  frame.className = text.matches('pre') ? 'copied block' : 'copied';
  Object.assign(button, { type: 'button', className: 'copy', textContent: copy });
  button.setAttribute('aria-label', of ? `${copy}: ${of}` : copy);
  told.className = 'sr';
  told.setAttribute('role', 'status');
  text.replaceWith(frame);
  frame.append(text, button, told);
  const say = (word) => {
    button.textContent = word || copy;
    told.textContent = word;
  };
  let later;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      // Pages without TLS may not write to the clipboard, but may copy what is selected.
      getSelection().selectAllChildren(text);
      if (!document.execCommand('copy')) return;
    }
    say(copied);
    clearTimeout(later);
    later = setTimeout(() => say(''), 2_000);
  });
}

all('[data-copy]').forEach(copyable);

// Filters: of the values that the page shows those of the dimension that is chosen are offered.
const [dimension, offered] = ['filter-dimension', 'filter-values'].map((id) => document.getElementById(id));
if (dimension && offered) {
  const values = [...offered.children];
  const offer = () => offered.replaceChildren(...values.filter(({ dataset }) => dataset.of === dimension.value));
  dimension.addEventListener('change', offer);
  offer();
}

// Whoever fills the last of the fields for values gets another.
for (const values of all('.values')) {
  values.addEventListener('input', ({ target }) => {
    const last = values.lastElementChild;
    const places = values.querySelectorAll('p').length + 1;
    if (!last.contains(target) || target.value === '' || places >= values.dataset.most) return;
    const field = last.cloneNode(true);
    const [label, input] = ['label', 'input'].map((name) => field.querySelector(name));
    label.htmlFor = input.id = `filter-value-${places}`;
    label.querySelector('.sr').textContent = ` ${places + 1}`;
    input.value = '';
    values.append(field);
  });
}

// A filter hides the values that it leaves out: those are asked for when somebody adds one.
for (const menu of all('[data-others]')) {
  menu.addEventListener('toggle', async () => {
    const answer = await fetch(menu.dataset.others).catch(() => null);
    if (!answer?.ok) return;
    const list = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const named = menu.querySelector('[name=dimension]').value;
    const others = [...list.querySelectorAll('#filter-values option')].filter(({ dataset }) => dataset.of === named);
    menu.querySelector('datalist').replaceChildren(...others);
  }, { once: true });
}

// Live numbers: the server tells when there are others, and the page that shows them is asked for them.
const now = document.getElementById('now');
if (now && 'EventSource' in window) {
  const live = document.querySelector('[data-live]');
  const hear = async ({ data }) => {
    const { visitors, text } = JSON.parse(data);
    now.textContent = text;
    now.classList.toggle('busy', visitors > 0);
    if (!live || document.hidden) return;
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok || live.contains(document.activeElement)) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]');
    live.replaceChildren(...fresh.childNodes);
    followAll();
  };
  const listen = () => {
    const stream = new EventSource(new URL(now.href).pathname + '/now' + location.search);
    stream.addEventListener('message', hear);
    // A stream that goes on would keep the page from being taken back as it was.
    addEventListener('pagehide', () => stream.close(), { once: true });
  };
  listen();
  addEventListener('pageshow', ({ persisted }) => { if (persisted) listen(); });
}
