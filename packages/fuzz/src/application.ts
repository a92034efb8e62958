import type { Server } from 'node:http'
import type { Attachment, AttachOptions } from '@oneport/core'

/** The options with which each server under test is attached. */
export type Options = Pick<AttachOptions, 'handshakeTimeoutMs' | 'closeTimeoutMs' | 'onError' | 'onRefused'>

/** A listening server under test. */
export interface Application {
  readonly server: Server
  readonly attachment: Pick<Attachment, 'stats'>
}
