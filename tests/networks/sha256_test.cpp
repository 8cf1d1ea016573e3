// SHA-256 against the examples of FIPS 180 and of NIST's test vectors.
#include "networks/weights/sha256.h"

#include <doctest/doctest.h>

#include <string>

using imgmill::Sha256;

namespace {

std::string Digest(const std::string& text, size_t step, bool plain = false) {
  Sha256 hash(plain);
  for (size_t i = 0; i < text.size(); i += step)
    hash.Update(text.data() + i, std::min(step, text.size() - i));
  return hash.Hex();
}

}  // namespace

TEST_CASE("SHA-256 of the published examples, in pieces of any size") {
  for (const size_t step : {1, 3, 63, 64, 65, 1'000'000}) {
    for (const bool plain : {false, true}) {
      CHECK(Digest("", step, plain) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
      CHECK(Digest("abc", step, plain) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
      CHECK(Digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", step, plain) ==
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
  }
  for (const bool plain : {false, true})
    CHECK(Digest(std::string(1'000'000, 'a'), 1000, plain) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
