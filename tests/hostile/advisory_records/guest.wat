;; Answers with records of bytes: each byte is one here, and a value of many bytes on the host.
(component
  (core module $m
    (memory (export "memory") 1025)
    (func (export "many") (param $count i32) (result i32)
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (local.get $count))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "many") (param "count" u32)
    (result (list (tuple u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8)))
    (canon lift (core func $i "many") (memory (core memory $i "memory")))))
