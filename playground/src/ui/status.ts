// The line that always says what is going on, and its one button.

import { IDLE, type RunState } from '../run/state';
import { type Remedy, describe } from '../run/words';
import { find } from './dom';

const TICK_MS = 100;

export class Status {
    private state: RunState = IDLE;
    private timer = 0;
    private readonly box = find('status');
    private readonly title = find('status-title');
    private readonly detail = find('status-detail');
    private readonly action = find<HTMLButtonElement>('status-action');
    private remedy: Remedy;

    constructor(act: (remedy: Remedy) => void) {
        this.action.addEventListener('click', () => act(this.remedy));
    }

    show(state: RunState): void {
        this.state = state;
        window.clearInterval(this.timer);
        this.paint();
        if (state.phase === 'running' && !state.stopping) {
            this.timer = window.setInterval(() => this.paint(), TICK_MS);
        }
    }

    private paint(): void {
        const words = describe(this.state, Date.now());
        this.box.dataset['tone'] = words.tone;
        this.box.dataset['phase'] = this.state.phase;
        set(this.title, words.title);
        set(this.detail, words.detail);
        this.remedy = words.remedy;
        this.action.hidden = !words.remedy;
        set(this.action, words.remedy === 'key' ? 'Enter a key'
            : 'Try again');
    }
}

/** Text that is the same is not announced again. */
function set(element: HTMLElement, text: string): void {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}
