// Verdicts from the server. Only the newest question counts: older ones are dropped on their way.

import { ask } from "../api.js";

/** Asks one question at a time; while one is on its way only the newest other one waits. */
export class Judge {
  constructor(planId) {
    this.path = `/plans/${planId}`;
    this.busy = false;
    this.next = null;
  }

  /**
   * Let the server's processes take the plan in hand before the first move: several questions at once go over several
   * connections, and so most likely to all of them.
   */
  warm() {
    for (let number = 0; number < 3; number += 1) ask(`${this.path}/verdicts`, { body: { routes: [] } }).catch(() => {});
  }

  /** What breaks and what it costs; null when a newer question took its place. */
  verdict(routes) {
    return new Promise((answer, fail) => {
      this.next?.answer(null);
      this.next = { routes, answer, fail };
      this.work();
    });
  }

  async work() {
    if (this.busy || !this.next) return;
    const { routes, answer, fail } = this.next;
    this.next = null;
    this.busy = true;
    try {
      const { body } = await ask(`${this.path}/verdicts`, { body: { routes } });
      answer(this.next ? null : body);
    } catch (problem) {
      fail(problem);
    } finally {
      this.busy = false;
      this.work();
    }
  }

  /** The best place of a stop on each vehicle that can take it, cheapest first. */
  async places(routes, id, signal) {
    const { body } = await ask(`${this.path}/places`, { body: { routes, booking_id: id }, signal });
    return body.places;
  }
}
