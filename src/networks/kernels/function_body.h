// Functions of each value by itself on the vectors of vector_body.h, which is included before it by
// conv_body.h, by the same rules.

static void Gelu(float* values, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) {
    const Vector value = Load(values + i);
    Store(values + i, value * NormalShare(value));
  }
}
