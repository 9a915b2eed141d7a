// Drawn people in drawn rooms, as camera pictures: a Y4M file that Chromium's fake camera plays.

import { writeFile } from 'node:fs/promises';

const [WIDTH, HEIGHT, FRAMES, RATE] = [1280, 720, 20, 20];

export const SCENES = {
  ana: {
    wall: ['#f3d9bd', '#dba77c'], light: '#fff1d6', skin: '#a9694a', shade: '#8d5237', hair: '#2c1a16', shirt: '#2c7b67', collar: '#235f50',
    longHair: true, glasses: false, plant: true,
  },
  rui: {
    wall: ['#c4d6e6', '#8fb0c9'], light: '#f2fbff', skin: '#dfa581', shade: '#c98a66', hair: '#5b3a24', shirt: '#33415f', collar: '#27324a',
    longHair: false, glasses: true, plant: false,
  },
};

// Draws a scene with the browser's canvas and writes it as Y4M (4:2:0).
export async function writeScene(browser, scene, file) {
  const page = await browser.newPage();
  const parts = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${RATE}:1 Ip A1:1 C420jpeg\n`)];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const planes = await page.evaluate(draw, { scene, width: WIDTH, height: HEIGHT, turn: frame / FRAMES });
    parts.push(Buffer.from('FRAME\n'), Buffer.from(planes, 'base64'));
  }
  await page.close();
  await writeFile(file, Buffer.concat(parts));
}

// Runs in the page: draws one frame and gives its planes. `turn` goes from 0 to 1, and round again.
function draw({ scene, width, height, turn }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const c = canvas.getContext('2d', { willReadFrequently: true });
  const gradient = (x0, y0, x1, y1, ...stops) => {
    const made = c.createLinearGradient(x0, y0, x1, y1);
    stops.forEach((colour, i) => made.addColorStop(i / (stops.length - 1), colour));
    return made;
  };
  const shape = (fill, trace) => {
    c.fillStyle = fill;
    c.beginPath();
    trace();
    c.fill();
  };
  const oval = (fill, x, y, rx, ry, tilt = 0) => shape(fill, () => c.ellipse(x, y, rx, ry, tilt, 0, 2 * Math.PI));
  const sway = Math.sin(turn * 2 * Math.PI);

  // The room: a wall, a window with its light, a shelf, perhaps a plant; all of it a little out of focus.
  c.filter = 'blur(5px)';
  c.fillStyle = gradient(0, 0, width, height, ...scene.wall);
  c.fillRect(-20, -20, width + 40, height + 40);
  const windowAt = scene.plant ? 90 : 900;
  c.fillStyle = 'rgba(255,255,255,.55)';
  c.fillRect(windowAt - 14, 46, 318, 378);
  c.fillStyle = gradient(0, 60, 0, 410, scene.light, '#bcd9e4', '#a7c9a5');
  c.fillRect(windowAt, 60, 290, 350);
  c.fillStyle = 'rgba(255,255,255,.8)';
  c.fillRect(windowAt + 140, 60, 9, 350);
  c.fillRect(windowAt, 230, 290, 9);
  const shelfAt = scene.plant ? 900 : 90;
  c.fillStyle = 'rgba(80,50,30,.45)';
  c.fillRect(shelfAt, 300, 300, 16);
  ['#3f6f73', '#b5543f', '#d9a441', '#48566e', '#7f9a6a', '#a56a84'].forEach((colour, i) => {
    c.fillStyle = colour;
    c.fillRect(shelfAt + 24 + i * 40, 300 - 92 - (i * 37) % 34, 30, 92 + (i * 37) % 34);
  });
  if (scene.plant) {
    for (let i = 0; i < 9; i += 1) {
      const angle = -Math.PI / 2 + (i - 4) * 0.27 + sway * 0.012;
      oval(i % 2 ? '#3d7a4d' : '#58935c', 1120 + Math.cos(angle) * 105, 520 + Math.sin(angle) * 130, 24, 92, angle + Math.PI / 2);
    }
    shape('#b86b49', () => { c.moveTo(1062, 545); c.lineTo(1182, 545); c.lineTo(1164, 680); c.lineTo(1080, 680); });
  }
  c.filter = 'none';

  // The person: nods and breathes.
  const x = width / 2 + sway * 7;
  const y = 300 + Math.cos(turn * 2 * Math.PI) * 4;
  if (scene.longHair) shape(scene.hair, () => c.roundRect(x - 142, y - 70, 284, 330, [140, 140, 70, 70]));
  c.fillStyle = gradient(0, 480, 0, height, scene.shirt, scene.collar);
  c.beginPath();
  c.moveTo(x - 320, height);
  c.bezierCurveTo(x - 300, 545, x - 190, 520, x - 70, 486);
  c.lineTo(x + 70, 486);
  c.bezierCurveTo(x + 190, 520, x + 300, 545, x + 320, height);
  c.fill();
  shape(scene.shade, () => c.roundRect(x - 52, y + 90, 104, 135, 48));
  shape(scene.collar, () => { c.moveTo(x - 80, 484); c.lineTo(x, 560); c.lineTo(x + 80, 484); c.lineTo(x + 52, 474); c.quadraticCurveTo(x, 530, x - 52, 474); });
  oval(scene.shade, x - 116, y + 12, 20, 32);
  oval(scene.shade, x + 116, y + 12, 20, 32);
  oval(gradient(x - 120, 0, x + 120, 0, scene.skin, scene.skin, scene.shade), x, y, 116, 148);
  // Hair above the forehead.
  shape(scene.hair, () => {
    c.moveTo(x - 126, y - 14);
    c.bezierCurveTo(x - 150, y - 210, x + 150, y - 210, x + 126, y - 14);
    c.bezierCurveTo(x + 108, y - 92, x + 40, y - 104, x - 10, y - 98);
    c.bezierCurveTo(x - 70, y - 92, x - 108, y - 66, x - 126, y - 14);
  });
  for (const side of [-1, 1]) {
    oval('#fff', x + side * 45, y - 2, 18, 12);
    oval('#33241d', x + side * 45 + sway * 2, y - 2, 9, 10);
    shape(scene.hair, () => c.roundRect(x + side * 45 - 26, y - 36, 52, 9, 5));
    oval('rgba(214,92,80,.2)', x + side * 66, y + 46, 26, 17);
  }
  c.lineCap = 'round';
  c.lineWidth = 6;
  c.strokeStyle = scene.shade;
  c.beginPath();
  c.moveTo(x + 2, y + 8);
  c.quadraticCurveTo(x + 20, y + 44, x - 4, y + 46);
  c.stroke();
  shape('#fff', () => { c.moveTo(x - 44, y + 76); c.quadraticCurveTo(x, y + 88, x + 44, y + 76); c.quadraticCurveTo(x, y + 124 + sway * 5, x - 44, y + 76); });
  c.lineWidth = 5;
  c.strokeStyle = '#8d3f38';
  c.stroke();
  if (scene.glasses) {
    c.lineWidth = 6;
    c.strokeStyle = '#2a2f38';
    for (const side of [-1, 1]) {
      c.beginPath();
      c.roundRect(x + side * 46 - 36, y - 28, 72, 54, 22);
      c.stroke();
    }
    c.beginPath();
    c.moveTo(x - 10, y - 6);
    c.lineTo(x + 10, y - 6);
    c.stroke();
  }

  const { data } = c.getImageData(0, 0, width, height);
  const quarter = (width / 2) * (height / 2);
  const out = new Uint8ClampedArray(width * height + 2 * quarter);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = (row * width + column) * 4;
      const [r, g, b] = [data[at], data[at + 1], data[at + 2]];
      out[row * width + column] = 0.299 * r + 0.587 * g + 0.114 * b;
      if (row % 2 || column % 2) continue;
      const chroma = width * height + (row / 2) * (width / 2) + column / 2;
      out[chroma] = 128 - 0.1687 * r - 0.3313 * g + 0.5 * b;
      out[chroma + quarter] = 128 + 0.5 * r - 0.4187 * g - 0.0813 * b;
    }
  }
  let text = '';
  for (let i = 0; i < out.length; i += 0x8000) text += String.fromCharCode(...out.subarray(i, i + 0x8000));
  return btoa(text);
}
