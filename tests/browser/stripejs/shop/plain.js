// A shop without any package: what the tests call stands in the page, Elements are mounted where they say.
const place = document.getElementById('app');

function mounted(elements, kind, options) {
  const holder = document.createElement('div');
  holder.id = kind;
  place.append(holder);
  const element = elements.create(kind, options);
  element.on('change', (event) => (window.changed = { ...window.changed, [kind]: event }));
  element.mount(holder);
  return new Promise((resolve) => element.on('ready', (event) => resolve({ element, event })));
}

window.shop = { mounted };
