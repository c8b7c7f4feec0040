// Runs programs over one socket, one at a time: asks for a ticket where there
// are tickets, connects on first use, joins a running job again when the
// connection broke, and says each thing that happens to whoever listens.

import { Connection } from '../protocol/connection';
import type { ClientMessage, Execute, Failure, ServerMessage, Started }
    from '../protocol/messages';
import { DROPPED, explain, fetchTicket } from '../protocol/server';
import { type Job, forgetJob, keepJob } from './job';
import { IDLE, type RunEvent, type RunState, advance, isActive }
    from './state';

export interface Listener {
    changed(state: RunState): void;
    message(message: ServerMessage): void;
}

export interface RunnerOptions {
    url: string;
    key(): string | undefined;
    /** Whether a job is to outlive this page for a while. */
    keep: boolean;
}

const RETRY_MS = [300, 1000, 2000, 4000, 8000];
const RETRY_FOR_MS = 90000;
const TAKEN_OVER = 4001;
const GOING_AWAY = [1001, 1012];

export class Runner {
    state: RunState = IDLE;
    private connection: Connection | undefined;
    private pending: Execute | undefined;   // not known to be accepted
    private job: Job | undefined;
    private attaching = false;
    private attempt = 0;
    private lostAt = 0;
    private retry = 0;
    private resent = false;
    private ticketed = false;

    constructor(private readonly options: RunnerOptions,
        private readonly listener: Listener) {
        window.addEventListener('online', () => this.retryNow());
    }

    /** Of ticketUrl, if any, a POST gets the ticket of this one run. */
    run(execute: Execute, ticketUrl?: string): void {
        if (isActive(this.state)) {
            return;
        }
        this.pending = this.options.keep
            ? { ...execute, detach: true } : execute;
        this.job = undefined;
        this.resent = false;
        this.ticketed = ticketUrl !== undefined;
        this.happened({ type: 'run', language: execute.language });
        if (ticketUrl) {
            void this.withTicket(this.pending, ticketUrl);
        } else {
            this.connectOr(() => this.sendPending());
        }
    }

    /** Joins a job that another view of this page left behind. */
    resume(job: Job): void {
        this.job = job;
        this.lostAt = Date.now();
        this.happened({ type: 'resume', language: job.language,
            since: job.since });
        this.connectOr(() => this.attach());
    }

    stop(): void {
        if (!isActive(this.state)) {
            return;
        }
        if (this.pending && this.state.phase === 'connecting') {
            this.withdraw();
            return;
        }
        this.happened({ type: 'stop' });
        if (this.connection?.isOpen) {
            this.send({ type: 'stop' });
        } else {
            this.giveUp();
        }
    }

    /** The next run connects anew: with another key. */
    disconnect(): void {
        if (!isActive(this.state)) {
            this.connection?.close();
            this.connection = undefined;
        }
    }

    send(message: ClientMessage): void {
        this.connection?.send(message);
    }

    private async withTicket(execute: Execute, url: string): Promise<void> {
        const ticket = await fetchTicket(url);
        if (this.pending !== execute) {
            return;                             // withdrawn meanwhile
        }
        if ('code' in ticket) {
            this.pending = undefined;
            this.happened({ type: 'refused', refusal: ticket });
        } else {
            this.pending = { ...execute, ...ticket };
            this.connectOr(() => this.sendPending());
        }
    }

    /** Nothing has been sent: nobody has to hear of it. */
    private withdraw(): void {
        this.pending = undefined;
        if (!this.connection?.isOpen) {
            this.connection?.close();
            this.connection = undefined;
        }
        this.happened({ type: 'withdrawn' });
    }

    private connectOr(act: () => void): void {
        if (this.connection?.isOpen) {
            act();
        } else if (!this.connection) {
            this.connect();
        }
    }

    private connect(): void {
        window.clearTimeout(this.retry);
        this.connection = new Connection(this.options.url,
            this.options.key(), {
                opened: () => this.opened(),
                message: (message) => this.received(message),
                gone: (code, wasOpen) => this.gone(code, wasOpen),
            });
    }

    private opened(): void {
        this.attempt = 0;
        if (this.pending) {
            this.sendPending();
        } else if (this.job) {
            this.attach();
        }
    }

    private sendPending(): void {
        if (this.pending) {
            this.happened({ type: 'opened' });
            this.send(this.pending);
        }
    }

    private attach(): void {
        if (this.job) {
            this.attaching = true;
            this.send({ type: 'attach', job_id: this.job.id,
                attach_token: this.job.token, offset: this.job.end });
        }
    }

    private received(message: ServerMessage): void {
        if (message.type === 'started') {
            this.accepted(message);
        } else if (message.type === 'output' && this.job) {
            this.job.end = message.end;
        } else if (message.type === 'error') {
            if (this.attachRefused(message)) {
                return;
            }
            this.ended();
            if (this.ticketed && message.code === 'unauthorized') {
                message = { ...message, code: 'no_ticket' };
            }
        } else if (message.type === 'complete') {
            this.ended();
        }
        this.happened({ type: 'message', message, at: Date.now() });
        this.listener.message(message);
    }

    private accepted(message: Started): void {
        const stop = this.state.stopping;
        if (!this.attaching && message.attach_token) {
            this.job = { id: message.job_id, token: message.attach_token,
                language: message.language, since: Date.now(), end: 0,
                piped: this.pending?.tty === false };
            if (this.options.keep) {
                keepJob(this.job);
            }
        }
        this.attaching = false;
        this.pending = undefined;
        if (stop) {
            this.send({ type: 'stop' });
        }
    }

    private attachRefused(message: Failure): boolean {
        if (!this.attaching || message.code !== 'not_found') {
            return false;
        }
        this.giveUp();
        return true;
    }

    private ended(): void {
        this.attaching = false;
        this.pending = undefined;
        this.job = undefined;
        window.clearTimeout(this.retry);
        if (this.options.keep) {
            forgetJob();
        }
    }

    private giveUp(): void {
        this.ended();
        this.connection?.close();
        this.connection = undefined;
        this.happened({ type: 'lost' });
    }

    private gone(code: number, wasOpen: boolean): void {
        this.connection = undefined;
        this.attaching = false;
        if (!isActive(this.state)) {
            return;
        }
        if (this.pending) {
            this.goneBeforeStart(code, wasOpen);
        } else if (this.job && this.options.keep && code !== TAKEN_OVER) {
            this.reconnect();
        } else {
            this.takenOver(code);
        }
    }

    /** Nothing runs on a worker that is on its way out: said once more. */
    private goneBeforeStart(code: number, wasOpen: boolean): void {
        if (wasOpen && GOING_AWAY.includes(code) && !this.resent) {
            this.resent = true;
            this.connect();
        } else {
            this.pending = undefined;
            void this.sayWhy();
        }
    }

    private takenOver(code: number): void {
        this.ended();
        this.happened(code === TAKEN_OVER
            ? { type: 'refused', refusal: { code: 'taken_over',
                message: 'shown elsewhere' } }
            : { type: 'lost' });
    }

    private reconnect(): void {
        if (this.state.phase !== 'reconnecting') {
            this.lostAt = Date.now();
            this.happened({ type: 'dropped' });
        }
        if (Date.now() - this.lostAt > RETRY_FOR_MS) {
            this.giveUp();
            return;
        }
        const ms = RETRY_MS[Math.min(this.attempt, RETRY_MS.length - 1)];
        this.attempt++;
        this.retry = window.setTimeout(() => this.retryNow(), ms);
    }

    private retryNow(): void {
        if (this.state.phase === 'reconnecting' && !this.connection) {
            this.connect();
        }
    }

    private async sayWhy(): Promise<void> {
        let refusal = await explain(this.options.url, this.options.key());
        if (this.ticketed && refusal.code === 'unauthorized') {
            refusal = DROPPED;          // it wants the ticket we did not show
        }
        if (isActive(this.state) && !this.connection) {
            this.happened({ type: 'refused', refusal });
        }
    }

    private happened(event: RunEvent): void {
        this.state = advance(this.state, event);
        this.listener.changed(this.state);
    }
}
