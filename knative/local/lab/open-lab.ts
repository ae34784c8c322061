import type { EventMessage } from '../../../eventing/message.ts'
import type { Brokers } from '../eventing/brokers.ts'
import { urlHere } from '../gateway/loopback.ts'
import type { Routes } from '../gateway/router.ts'
import type { Backends } from '../servers/backends.ts'
import type { Service } from '../serving/service.ts'
import { openLabDoor, type LabDoor, type LabDoorOptions } from './door.ts'
import type { LabWorld } from './world.ts'

interface OpenedBank extends Pick<LabDoorOptions, 'hosts'> {
  root: string
  dataDir: string
  labKey: string
}

interface OpenedGateway {
  routes: Pick<Required<Routes>, 'doors'>
  services: ReadonlyMap<string, Service>
  brokers: LabWorld['ingresses']
}

/** Opens the lab, which breaks this bank for those who ask it to. */
export function openLab(
  { root, dataDir, labKey, hosts }: OpenedBank,
  { databases, servers }: Pick<Backends, 'databases' | 'servers'>,
  { routes, services, brokers: ingresses }: OpenedGateway,
  { port, brokers }: { port: number; brokers: Brokers },
): LabDoor {
  const [broker] = brokers.byName.values()
  const publish = async (event: EventMessage) => broker?.publish(event)
  const world = { services, ingresses, servers, consumers: brokers.consumers, publish }
  const parts = { root, dataDir, url: urlHere(hosts, port), databases, world }
  const lab = openLabDoor({ key: labKey, hosts, parts })
  routes.doors.set('lab', lab.handle)
  return lab
}
