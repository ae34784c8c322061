import type { BrokerStatus } from '../../eventing/broker/broker.ts'
import type { ServiceStatus } from './serving/service.ts'

export interface RuntimeStatus {
  pid: number
  url: string
  queue: string
  services: (ServiceStatus & { url: string })[]
  brokers: (BrokerStatus & { name: string })[]
}
