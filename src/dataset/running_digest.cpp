// XXH3-128 of bytes, at once or in pieces.
#include "imgmill/dataset/running_digest.h"

#include <xxhash.h>

#include <algorithm>
#include <new>

namespace imgmill {
namespace {

ContentDigest FromHash(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  ContentDigest digest;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), digest.bytes.begin());
  return digest;
}

}  // namespace

struct RunningDigest::State {
  State() : hash(XXH3_createState()) {
    if (hash == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(hash);
  }
  ~State() { XXH3_freeState(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* hash;
};

RunningDigest::RunningDigest() : state_(std::make_unique<State>()) {}
RunningDigest::~RunningDigest() = default;

void RunningDigest::Add(const void* data, size_t size) {
  XXH3_128bits_update(state_->hash, data, size);
}

ContentDigest RunningDigest::Finish() const {
  return FromHash(XXH3_128bits_digest(state_->hash));
}

ContentDigest DigestOfBytes(const void* data, size_t size) {
  return FromHash(XXH3_128bits(data, size));
}

}  // namespace imgmill
