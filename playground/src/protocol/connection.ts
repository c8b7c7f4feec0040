// One WebSocket: made, used, and reported gone exactly once.

import { type ClientMessage, type ServerMessage, decode, keyProtocol }
    from './messages';

export interface ConnectionEvents {
    opened(): void;
    message(message: ServerMessage): void;
    gone(code: number, wasOpen: boolean): void;
}

const CONNECT_MS = 15000;

export class Connection {
    private readonly socket: WebSocket;
    private readonly timer: number;
    private wasOpen = false;
    private isGone = false;

    constructor(url: string, key: string | undefined,
        private readonly events: ConnectionEvents) {
        const protocols = ['codr.v1', ...(key ? [keyProtocol(key)] : [])];
        this.socket = new WebSocket(url, protocols);
        this.socket.onopen = () => this.onOpen();
        this.socket.onmessage = (event) => this.onMessage(event.data);
        this.socket.onclose = (event) => this.leave(event.code);
        this.timer = window.setTimeout(() => this.leave(1006), CONNECT_MS);
    }

    get isOpen(): boolean {
        return this.wasOpen && !this.isGone;
    }

    send(message: ClientMessage): void {
        if (this.isOpen) {
            this.socket.send(JSON.stringify(message));
        }
    }

    close(): void {
        this.isGone = true;
        window.clearTimeout(this.timer);
        this.socket.close(1000);
    }

    private onOpen(): void {
        if (!this.isGone) {
            window.clearTimeout(this.timer);
            this.wasOpen = true;
            this.events.opened();
        }
    }

    private onMessage(data: unknown): void {
        const message = typeof data === 'string' ? decode(data) : undefined;
        if (message && !this.isGone) {
            this.events.message(message);
        }
    }

    private leave(code: number): void {
        if (this.isGone) {
            return;
        }
        this.close();
        this.events.gone(code, this.wasOpen);
    }
}
