// Each fact: eight bytes that stand for its name, the length of its value in two, its value.
#include "catalog/facts_beside.h"

#include <cstdint>
#include <cstring>

#include "imgmill/dataset/file_identity.h"

namespace imgmill {
namespace {

constexpr size_t kMostBytes = 512;

struct Head {
  uint64_t name = 0;
  uint16_t length = 0;

  static constexpr size_t kBytes = sizeof(uint64_t) + sizeof(uint16_t);
  static Head At(const char* bytes) {
    Head head;
    std::memcpy(&head.name, bytes, sizeof head.name);
    std::memcpy(&head.length, bytes + sizeof head.name, sizeof head.length);
    return head;
  }
};

/// Not its number, which another name may have once it is forgotten.
uint64_t KeyOf(std::string_view name) {
  const ContentDigest digest = DigestOfBytes(name.data(), name.size());
  uint64_t key = 0;
  std::memcpy(&key, digest.bytes.data(), sizeof key);
  return key;
}

/// Where the fact begins; npos if it is not there.
size_t Find(std::string_view facts, uint64_t key) {
  for (size_t at = 0; facts.size() - at >= Head::kBytes;) {
    const Head head = Head::At(facts.data() + at);
    if (facts.size() - at - Head::kBytes < head.length) break;
    if (head.name == key) return at;
    at += Head::kBytes + head.length;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> FactBeside(std::string_view facts, std::string_view name) {
  const size_t at = Find(facts, KeyOf(name));
  if (at == std::string_view::npos) return std::nullopt;
  return facts.substr(at + Head::kBytes, Head::At(facts.data() + at).length);
}

void PutFactBeside(std::string& facts, std::string_view name, std::string_view value) {
  const uint64_t key = KeyOf(name);
  if (const size_t at = Find(facts, key); at != std::string::npos)
    facts.erase(at, Head::kBytes + Head::At(facts.data() + at).length);
  if (facts.size() + Head::kBytes + value.size() > kMostBytes) return;
  const auto length = static_cast<uint16_t>(value.size());
  facts.append(reinterpret_cast<const char*>(&key), sizeof key);
  facts.append(reinterpret_cast<const char*>(&length), sizeof length);
  facts.append(value);
}

}  // namespace imgmill
