import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { Lab, LabFault, LabRun, LabRunRequest } from '../../client/index.ts'
import { api } from './api.ts'

export type { Lab, LabFault, LabRun, LabRunRequest }
export type LabFaultKind = LabFault['kind']
export type LabScenarioName = Lab['scenarios'][number]['name']

const AGAIN_MS = 1_000

/** The lab with its last runs. It is asked again each second while a run goes on. */
export const labQuery = () =>
  queryOptions({
    queryKey: ['lab'],
    queryFn: ({ signal }) => api.get('/api/lab', { signal }),
    refetchInterval: ({ state: { data } }) => data?.runs.some(({ state }) => state !== 'ended') && AGAIN_MS,
  })

/** Begins a run. */
export function useStartRun() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: LabRunRequest) => api.post('/api/lab/runs', { body }),
    onSettled: () => queries.invalidateQueries({ queryKey: labQuery().queryKey }),
  })
}

/** Stops a run and undoes all its faults. */
export function useStopRun() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => api.delete('/api/lab/runs/{id}', { params: { id } }),
    onSettled: () => queries.invalidateQueries({ queryKey: labQuery().queryKey }),
  })
}

/** The address of a run's report, to save. */
export const reportAddress = ({ id }: Pick<LabRun, 'id'>, format: 'markdown' | 'json'): string =>
  `/api/lab/runs/${id}/report?format=${format}`
