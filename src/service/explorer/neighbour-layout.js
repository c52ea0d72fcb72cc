/**
 * Where things lie on a plane when those that are near to each other in the space shall be near on the plane: springs along the links, everything
 * else pushes itself apart, and every step is smaller than the one before. After Fruchterman and Reingold, "Graph drawing by force-directed
 * placement", Software: Practice and Experience 21(11), 1991; with a pull to the middle, so that parts without a link stay in the picture.
 *
 * Begins with the places on the plane that shows most, so that the same map comes out every time.
 */

const steps = 220;
/** Between two looks at what else the page has to do. */
const stepsAtOnce = 8;

/**
 * @param {{ x: number, y: number }[]} points
 * @param {[number, number][]} links
 * @param {AbortSignal} signal
 * @returns {Promise<{ x: number, y: number }[]>} places in the order of the points
 */
export async function neighbourLayout(points, links, signal) {
  const count = points.length;
  const x = spread(points.map((point) => point.x));
  const y = spread(points.map((point) => point.y));
  const dx = new Float64Array(count);
  const dy = new Float64Array(count);
  // The distance at which a link neither pulls nor is pushed: one of a grid that fills the unit square.
  const rest = 1 / Math.sqrt(count);
  for (let step = 0; step < steps; step++) {
    if (step % stepsAtOnce === 0) {
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
    }
    push(x, y, dx, dy, rest);
    pull(links, x, y, dx, dy, rest);
    const largest = 0.12 * (1 - step / steps) ** 2 + 0.0005;
    for (let at = 0; at < count; at++) {
      const toMiddle = 0.4 * rest;
      const moveX = dx[at] - toMiddle * (x[at] - 0.5);
      const moveY = dy[at] - toMiddle * (y[at] - 0.5);
      const length = Math.hypot(moveX, moveY) || 1;
      const share = Math.min(length, largest) / length;
      x[at] += moveX * share;
      y[at] += moveY * share;
    }
  }
  return points.map((_, at) => ({ x: x[at], y: y[at] }));
}

/** From 0 to 1; what lies on one spot is pulled apart a little, always in the same way. */
function spread(values) {
  const least = Math.min(...values);
  const span = Math.max(...values) - least || 1;
  return Float64Array.from(values, (value, at) => (value - least) / span + 1e-4 * Math.sin(at * 12.9898));
}

function push(x, y, dx, dy, rest) {
  dx.fill(0);
  dy.fill(0);
  const strength = rest * rest;
  for (let a = 0; a < x.length; a++) {
    for (let b = a + 1; b < x.length; b++) {
      const betweenX = x[a] - x[b];
      const betweenY = y[a] - y[b];
      const squared = betweenX * betweenX + betweenY * betweenY + 1e-9;
      const force = strength / squared;
      dx[a] += betweenX * force;
      dy[a] += betweenY * force;
      dx[b] -= betweenX * force;
      dy[b] -= betweenY * force;
    }
  }
}

function pull(links, x, y, dx, dy, rest) {
  for (const [a, b] of links) {
    const betweenX = x[a] - x[b];
    const betweenY = y[a] - y[b];
    const force = Math.hypot(betweenX, betweenY) / rest;
    dx[a] -= betweenX * force;
    dy[a] -= betweenY * force;
    dx[b] += betweenX * force;
    dy[b] += betweenY * force;
  }
}
