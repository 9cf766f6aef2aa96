// How a panel looks at a stream: it names what it wants, and gives it back when it goes.
import type { AnyVariables } from '@urql/core'
import { computed, inject, onScopeDispose, shallowRef, watch, type ComputedRef, type InjectionKey } from 'vue'
import type { Fault } from '../api/fault.ts'
import type { Followed, Live } from './follow.ts'
import type { Hub } from './hub.ts'

export const HUB: InjectionKey<Hub> = Symbol('hub')

export function useHub(): Hub {
  const hub = inject(HUB)
  if (!hub) throw new Error('No hub is provided: main.ts does that before it mounts the page.')
  return hub
}

export interface Stream<Frame> {
  frame: ComputedRef<Frame | undefined>
  fault: ComputedRef<Fault | null>
  retry(): void
}

/** Opens what `wanted` names, and another stream when that changes: until its first message `frame` is undefined again. */
export function useStream<Data, Variables extends AnyVariables, Frame>(
  wanted: () => Followed<Data, Variables, Frame>,
): Stream<Frame> {
  const hub = useHub()
  const live = shallowRef<Live<Frame>>()
  watch(
    wanted,
    (followed) => {
      const before = live.value
      live.value = hub.open(followed)
      before?.close()
    },
    { immediate: true },
  )
  onScopeDispose(() => live.value?.close())
  return {
    frame: computed(() => live.value?.frame.value),
    fault: computed(() => live.value?.fault.value ?? null),
    retry: () => live.value?.retry(),
  }
}
