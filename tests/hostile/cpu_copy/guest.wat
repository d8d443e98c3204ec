;; Copies and fills 16 MiB for ever: few instructions, each of them long.
(component
  (core module $m
    (memory 512)
    (func (export "copy")
      (loop $again
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 16777216))
        (memory.copy (i32.const 16777216) (i32.const 0) (i32.const 16777216))
        (br $again))))
  (core instance $i (instantiate $m))
  (func (export "copy") (canon lift (core func $i "copy"))))
