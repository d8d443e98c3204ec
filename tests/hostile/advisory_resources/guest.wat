;; Makes things of a type of its own and never gives one back.
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "make") (param $count i32) (result i32)
      (local $last i32)
      (loop $more
        (local.set $last (call $new (local.get $count)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br_if $more (local.get $count)))
      (local.get $last)))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (func (export "make") (param "count" u32) (result u32) (canon lift (core func $i "make"))))
