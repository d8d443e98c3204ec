;; Grows a table to what no host has, then element by element until it may not; tells what it got.
(component
  (core module $m
    (table $t 1 funcref)
    (func (export "grow") (result i32)
      (if (i32.ne (table.grow $t (ref.null func) (i32.const -1)) (i32.const -1)) (then unreachable))
      (loop $more
        (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
      (table.size $t)))
  (core instance $i (instantiate $m))
  (func (export "grow") (result u32) (canon lift (core func $i "grow"))))
