;; Calls the host while the host is handing it a text, from the very function that is to make room.
(component
  (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
  (core func $ask (canon lower (func $random "get-random-u64")))
  (core module $m
    (import "" "ask" (func $ask (result i64)))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32) (param $want i32) (result i32)
      (if (local.get $want) (then (drop (call $ask))))
      (i32.const 16))
    (func (export "take") (param i32 i32) (result i32) (drop (call $ask)) (local.get 1)))
  (core instance $i (instantiate $m (with "" (instance (export "ask" (func $ask))))))
  (func (export "take") (param "text" string) (result u32)
    (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
