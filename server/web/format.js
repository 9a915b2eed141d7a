// Numbers, times and names for people.

// Making a formatter takes far longer than using it.
const formatters = new Map();
function formatter(key, make) {
  if (!formatters.has(key)) formatters.set(key, make());
  return formatters.get(key);
}

export function clockTime(date, locale) {
  return formatter(`time ${locale}`, () => new Intl.DateTimeFormat(locale, { timeStyle: 'short' })).format(date);
}

// How long a call lasts: 0:07, 12:34, 1:02:03.
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (number) => String(number).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// A letter that stands for a person.
export function initial(name) {
  return ([...name.trim()][0] ?? '?').toUpperCase();
}

// One of `count` numbers, the same for the same name at any time.
export function hueOf(name, count = 8) {
  let hash = 0;
  for (const char of name) hash = (Math.imul(hash, 31) + char.codePointAt(0)) >>> 0;
  return hash % count;
}

// A file name for a photo of this person, without what file systems dislike.
export function photoName(name, date) {
  const person = name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'photo';
  const two = (number) => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `chamada-${person}-${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}.png`;
}

// A name for a file that a stranger called `name`: its last part, without controls and what turns the reading direction, and without what some
// systems do not take. Browsers make it safe again when it is saved.
export function safeName(name) {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const kept = last.replace(/[\p{Cc}<>:"|?*\u202A-\u202E\u2066-\u2069]/gu, '').replace(/^[.\s]+|[.\s]+$/g, '');
  const [, stem, extension] = /^(.*?)(\.[^.]{1,20})?$/su.exec(kept) ?? [];
  return `${[...(stem ?? '')].slice(0, 100).join('')}${extension ?? ''}` || 'file';
}

// How large a file is: 17 B, 3.4 MB.
export function fileSize(bytes, locale) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  /** @type {Intl.NumberFormatOptions} */
  const options = { style: 'unit', unit: units[step], unitDisplay: 'short', maximumFractionDigits: step ? 1 : 0 };
  return formatter(`size ${step} ${locale}`, () => new Intl.NumberFormat(locale, options)).format(bytes / 1000 ** step);
}

export function decimal(number, locale, digits = 0) {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return formatter(`number ${digits} ${locale}`, () => new Intl.NumberFormat(locale, options)).format(number);
}

// A name as it is searched for: without accents, and in small letters.
export function searchable(name) {
  return name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
