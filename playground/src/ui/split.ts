// The bar between two panes: dragged, or moved with the arrow keys.

import { choice, choose } from '../work/store';

const LEAST = 20;
const MOST = 80;

export class Split {
    private share = 52;

    constructor(private readonly bar: HTMLElement,
        private readonly box: HTMLElement) {
        const kept = Number(choice('split'));
        this.set(kept >= LEAST && kept <= MOST ? kept : this.share);
        bar.addEventListener('pointerdown', (event) => this.grab(event));
        bar.addEventListener('keydown', (event) => this.key(event));
    }

    private get stacked(): boolean {
        return getComputedStyle(this.box).flexDirection === 'column';
    }

    private set(share: number): void {
        this.share = Math.min(MOST, Math.max(LEAST, share));
        this.box.style.setProperty('--split', `${this.share}%`);
        this.bar.setAttribute('aria-valuenow', String(
            Math.round(this.share)));
    }

    private grab(event: PointerEvent): void {
        event.preventDefault();
        this.bar.setPointerCapture(event.pointerId);
        const move = (now: PointerEvent): void => this.follow(now);
        this.bar.addEventListener('pointermove', move);
        this.bar.addEventListener('lostpointercapture', () => {
            this.bar.removeEventListener('pointermove', move);
            choose('split', String(this.share));
        }, { once: true });
    }

    private follow(event: PointerEvent): void {
        const box = this.box.getBoundingClientRect();
        this.set(this.stacked
            ? 100 * (event.clientY - box.top) / box.height
            : 100 * (event.clientX - box.left) / box.width);
    }

    private key(event: KeyboardEvent): void {
        const steps: Record<string, number> = { ArrowLeft: -2, ArrowUp: -2,
            ArrowRight: 2, ArrowDown: 2 };
        const step = steps[event.key];
        if (step) {
            event.preventDefault();
            this.set(this.share + step);
            choose('split', String(this.share));
        }
    }
}
