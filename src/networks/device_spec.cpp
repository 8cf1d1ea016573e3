// Parses --device.
#include "networks/device_spec.h"

#include <algorithm>
#include <charconv>

#include "base/usage_error.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"

namespace imgmill {
namespace {

using Kind = DeviceChoice::Kind;

std::string WhatThereIs(const AcceleratorFacts& facts) {
  std::string text = "available: cpu";
  for (int i = 0; i < facts.count; ++i) text += ", " + facts.type + ":" + std::to_string(i);
  return text;
}

bool OnHost(const DeviceChoice& choice) {
  return choice.kind != Kind::kAccelerator;
}

/// "TYPE" or "TYPE:INDEX"; index -1 where none is given.
bool Split(const std::string& word, std::string& type, int& index) {
  const size_t colon = word.find(':');
  type = word.substr(0, colon);
  index = -1;
  if (colon == std::string::npos) return true;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + colon + 1, end, index);
  return error == std::errc() && stop == end && index >= 0 && index < 1024;
}

Error Unknown(const std::string& word, const std::string& type, const AcceleratorFacts& facts,
              const std::string& library) {
  for (const char* known : {"cuda", "hip", "xpu", "mps"}) {
    if (type == known) {
      return UsageError("device " + word + ": " + library + " has no support for " + type + "; " +
                        WhatThereIs(facts));
    }
  }
  std::vector<std::string> words = {"auto", "all", "cpu", "cuda", "xpu", "mps"};
  std::string message = "device \"" + PrintablePath(word) + "\" is unknown";
  if (const auto meant = DidYouMean(type, words)) message += "; did you mean \"" + *meant + "\"?";
  return UsageError(message + " (" + WhatThereIs(facts) + ")");
}

}  // namespace

Result<std::vector<DeviceChoice>> ParseDevices(const std::string& spec, const AcceleratorFacts& facts,
                                               const std::string& library) {
  std::vector<DeviceChoice> choices;
  for (size_t at = 0; at <= spec.size();) {
    const size_t comma = std::min(spec.find(',', at), spec.size());
    const std::string word = spec.substr(at, comma - at);
    at = comma + 1;

    std::vector<DeviceChoice> meant;
    std::string type;
    int index = -1;
    if (!Split(word, type, index))
      return UsageError("device \"" + PrintablePath(word) + "\": expected TYPE or TYPE:NUMBER");
    if (word == "auto") {
      meant = {facts.count > 0 ? DeviceChoice{Kind::kAccelerator, 0} : DeviceChoice{Kind::kHost, 0}};
    } else if (word == "all") {
      for (int i = 0; i < facts.count; ++i) meant.push_back({Kind::kAccelerator, i});
      if (meant.empty()) meant.push_back({Kind::kHost, 0});
    } else if (word == "cpu") {
      meant = {{Kind::kHost, 0}};
    } else if (type == "cpu") {
      meant = {{Kind::kHostBacked, index}};
    } else if (!facts.type.empty() && type == facts.type) {
      if (std::max(index, 0) >= facts.count) {
        return UsageError("device " + word + " was not found or its driver does not work; " +
                          WhatThereIs(facts));
      }
      meant = {{Kind::kAccelerator, std::max(index, 0)}};
    } else {
      return Unknown(word, type, facts, library);
    }
    for (const DeviceChoice& choice : meant) {
      if (std::find(choices.begin(), choices.end(), choice) != choices.end()) {
        return UsageError("device \"" + word + "\" is named twice in \"" + spec + "\"");
      }
      choices.push_back(choice);
    }
  }
  if (std::any_of(choices.begin(), choices.end(), OnHost) &&
      !std::all_of(choices.begin(), choices.end(), OnHost)) {
    return UsageError(
        "devices \"" + spec +
        "\": a GPU and the CPU round differently, so that results would depend on which of them an "
        "image meets; name devices of one kind (where a GPU fails, the CPU takes over by itself)");
  }
  return choices;
}

Status SameModel(const Card& a, const Card& b) {
  const size_t larger = std::max(a.bytes, b.bytes);
  const size_t smaller = std::min(a.bytes, b.bytes);
  // What a driver keeps for itself differs a little between equal cards.
  if (smaller == 0 || larger - smaller <= larger / 20) return {};
  const auto text = [](const Card& card) { return card.name + " (" + FormatByteSize(card.bytes) + ")"; };
  return UsageError(
      "devices " + text(a) + " and " + text(b) +
      " are different models, which round differently, so that results would depend on which of "
      "them an image meets; name devices of one model, and give the others a run of their own");
}

}  // namespace imgmill
