;; Wants 200 MiB before it can be called.
(component
  (core module $m
    (memory 3200)
    (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
