// All samples of a page share one socket to their server: it is opened by the
// first run, and the next sample stops the one before.

import type { ClientMessage, Execute, ServerMessage }
    from '../protocol/messages';
import { Runner } from '../run/runner';
import { type RunState, isActive } from '../run/state';

export interface Guest {
    execute(): Execute;
    ticketUrl(): string | undefined;
    began(): void;
    changed(state: RunState): void;
    message(message: ServerMessage): void;
}

const stations = new Map<string, Station>();

export function stationOf(url: string): Station {
    const known = stations.get(url);
    const station = known ?? new Station(url);
    stations.set(url, station);
    return station;
}

export class Station {
    private readonly runner: Runner;
    private current: Guest | undefined;
    private next: Guest | undefined;

    constructor(url: string) {
        this.runner = new Runner({ url: url.replace(/^http/, 'ws'),
            key: () => undefined, keep: false }, {
            changed: (state) => this.changed(state),
            message: (message) => this.current?.message(message),
        });
    }

    runs(guest: Guest): boolean {
        return this.current === guest && isActive(this.runner.state);
    }

    run(guest: Guest): void {
        if (isActive(this.runner.state)) {
            this.next = guest;
            this.runner.stop();
        } else {
            this.begin(guest);
        }
    }

    stop(guest: Guest): void {
        if (this.current === guest) {
            this.runner.stop();
        }
    }

    send(guest: Guest, message: ClientMessage): void {
        if (this.current === guest) {
            this.runner.send(message);
        }
    }

    private begin(guest: Guest): void {
        this.current = guest;
        guest.began();
        this.runner.run(guest.execute(), guest.ticketUrl());
    }

    private changed(state: RunState): void {
        this.current?.changed(state);
        if (this.next && !isActive(state)) {
            const guest = this.next;
            this.next = undefined;
            this.begin(guest);
        }
    }
}
