// Tokens against OpenCLIP's, by tests/golden/text (make_token_golden.py there says how), and what is said of
// files that are no vocabulary.
#include "imgmill/text/clip_tokenizer.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

const std::string kGolden = IMGMILL_SOURCE_DIR "/tests/golden/text/";

nlohmann::json Golden() {
  std::ifstream file(kGolden + "tokens.json");
  return nlohmann::json::parse(file);
}

std::string Vocabulary() {
  std::ifstream file(kGolden + "vocabulary.txt", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Gzipped(const TestFolder& folder, const std::string& bytes) {
  const std::string path = folder / "packed.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
  return path;
}

void CheckAll(const ClipTokenizer& tokenizer, const nlohmann::json& golden, const char* which) {
  constexpr int kContext = 77;
  int texts = 0;
  for (const nlohmann::json& row : golden["texts"]) {
    const std::string text = row["text"];
    CAPTURE(text);
    const Result<ClipTokens> tokens = tokenizer.Encode(text, kContext);
    REQUIRE(tokens.ok());
    CHECK(tokens->ids == row[which].get<std::vector<int32_t>>());
    ++texts;
  }
  CHECK(texts > 50);
}

Error Refusal(const std::string& path, int tokens) {
  const Result<ClipTokenizer> read = ClipTokenizer::Read(path, tokens);
  REQUIRE_FALSE(read.ok());
  return read.error();
}

bool Mentions(const Error& error, const std::string& what) {
  INFO(error.message);
  return error.message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("texts have OpenCLIP's tokens by a small vocabulary, packed or not") {
  const nlohmann::json golden = Golden();
  const TestFolder folder;
  for (const std::string& path : {kGolden + "vocabulary.txt", Gzipped(folder, Vocabulary())}) {
    const Result<ClipTokenizer> tokenizer = ClipTokenizer::Read(path, golden["tokens"]);
    REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer ? "" : tokenizer.error().message));
    CheckAll(*tokenizer, golden, "small");
  }
}

TEST_CASE("texts have OpenCLIP's tokens by CLIP's own vocabulary") {
  const char* const path = std::getenv("IMGMILL_CLIP_VOCABULARY");
  if (path == nullptr) {
    MESSAGE("SKIPPED: IMGMILL_CLIP_VOCABULARY does not name bpe_simple_vocab_16e6.txt.gz");
    return;
  }
  const Result<ClipTokenizer> tokenizer = ClipTokenizer::Read(path, 49408);
  REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer ? "" : tokenizer.error().message));
  CheckAll(*tokenizer, Golden(), "clip");
}

TEST_CASE("a long text is cut, and says so") {
  const Result<ClipTokenizer> tokenizer = ClipTokenizer::Read(kGolden + "vocabulary.txt", Golden()["tokens"]);
  REQUIRE(tokenizer.ok());
  // "dog" is one token of that vocabulary: 3 + start and end.
  const auto fits = tokenizer->Encode("dog dog dog", 5), longer = tokenizer->Encode("dog dog dog dog", 5);
  REQUIRE(fits.ok());
  REQUIRE(longer.ok());
  CHECK(fits->ids.size() == 5);
  CHECK_FALSE(fits->cut);
  CHECK(longer->cut);
  CHECK(longer->ids == fits->ids);
  const auto no_text = tokenizer->Encode("caf\xE9", 5);
  REQUIRE_FALSE(no_text.ok());
  CHECK(no_text.error().code == Code::kUsage);
  CHECK(Mentions(no_text.error(), "\"caf\\xe9\" is not UTF-8"));
}

TEST_CASE("a file that is no vocabulary, or another model's, is refused by what is wrong with it") {
  const TestFolder folder;
  const int tokens = Golden()["tokens"];
  const std::string vocabulary = Vocabulary();
  CHECK(Refusal(folder / "nowhere", tokens).code == Code::kNotFound);
  CHECK(Mentions(Refusal(folder / "", tokens), "it is not a regular file"));
  for (const int more : {-1, 1}) {
    const Error error = Refusal(kGolden + "vocabulary.txt", tokens + more);
    CHECK(error.code == Code::kUsage);
    CHECK(Mentions(error, "another model's vocabulary"));
  }
  CHECK(Mentions(Refusal(kGolden + "vocabulary.txt", 250002), "its tokenizer is another one"));
  CHECK(Mentions(Refusal(folder.Write("a", "first\na b\nc\n"), 516), "its line 3 is wrong: it does not say"));
  CHECK(Mentions(Refusal(folder.Write("b", "first\na b\nab c d\n"), 516),
                 "its line 3 is wrong: it does not say"));
  CHECK(Mentions(Refusal(folder.Write("c", "first\na b\nabc d\n"), 516),
                 "joins \"abc\", which no line before"));
  CHECK(Mentions(Refusal(folder.Write("d", "first\na b\na b\n"), 516), "makes \"ab\" once more"));
  CHECK(Mentions(Refusal(folder.Write("e", std::string(5000, 'x')), 516), "longer than any token"));
  CHECK(Mentions(Refusal(folder.Write("f", ""), 516), "fewer"));
  const std::string packed = TestFolder::Read(Gzipped(folder, vocabulary));
  const Error cut = Refusal(folder.Write("g", packed.substr(0, packed.size() / 2)), tokens);
  CHECK(cut.code == Code::kMalformed);
  CHECK(Mentions(cut, "it is damaged"));
}
