;; Hands the host a message of 4 MiB again and again: almost no work for the guest, much for the host.
(component
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging
    (type $level (enum "trace" "debug" "info" "warn" "error" "critical"))
    (export "level" (type $named (eq $level)))
    (export "log" (func (param "level" $named) (param "context" string) (param "message" string)))))
  (core module $memory (memory (export "memory") 80))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $bytes))
  (core func $log (canon lower (func $logging "log") (memory $bytes)))
  (core module $m
    (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
    (func (export "storm")
      (loop $again
        (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4194304))
        (br $again))))
  (core instance $i (instantiate $m (with "host" (instance (export "log" (func $log))))))
  (func (export "storm") (canon lift (core func $i "storm"))))
