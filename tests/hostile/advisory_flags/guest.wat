;; Answers with flags of which there are three and of which it sets any.
(component
  (type $three (flags "one" "two" "three"))
  (export $marks "marks" (type $three))
  (core module $m (func (export "mark") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "mark") (param "bits" u32) (result $marks) (canon lift (core func $i "mark"))))
