// Starting points worth a picture: the middle of a view, the box around it that has to be seen, and how deep to look.

export const PRESETS = [
  { name: "Dragon", kind: "julia", cx: -0.8, cy: 0.156, x: 0, y: 0, w: 3.3, h: 1.86, iterations: 500 },
  { name: "Galaxy", kind: "julia", cx: -0.7269, cy: 0.1889, x: 0, y: 0, w: 3.2, h: 1.9, iterations: 500 },
  { name: "Lace", kind: "julia", cx: 0.285, cy: 0.01, x: 0, y: 0, w: 2.2, h: 2.3, iterations: 500 },
  { name: "Lightning", kind: "julia", cx: -0.70176, cy: -0.3842, x: 0, y: 0, w: 3.1, h: 2, iterations: 400 },
  { name: "Spirals", kind: "julia", cx: -0.4, cy: 0.6, x: 0, y: 0, w: 2.9, h: 2.3, iterations: 400 },
  { name: "Rabbit", kind: "julia", cx: -0.123, cy: 0.745, x: 0, y: 0, w: 2.9, h: 2.3, iterations: 300 },
  { name: "Whole set", kind: "mandelbrot", x: -0.7, y: 0, w: 2.9, h: 2.5, iterations: 500 },
  { name: "Seahorse", kind: "mandelbrot", x: -0.7435669, y: 0.1314023, w: 0.0022878, h: 0.0015, iterations: 2000 },
  { name: "Two spirals", kind: "mandelbrot", x: -0.74364085, y: 0.13182733, w: 0.00012, h: 0.00008, iterations: 3000 },
  { name: "Island", kind: "mandelbrot", x: -0.743643135, y: 0.131825963, w: 0.000014628, h: 0.00001, iterations: 4000 },
  { name: "Elephants", kind: "mandelbrot", x: 0.2925, y: 0.0149, w: 0.012, h: 0.008, iterations: 1000 },
  { name: "Crown", kind: "mandelbrot", x: -1.25066, y: 0.02012, w: 0.0004, h: 0.00027, iterations: 2000 },
];
