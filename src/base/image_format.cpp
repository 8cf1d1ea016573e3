// The table of image formats, and how it is searched.
#include "imgmill/base/image_format.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <iterator>
#include <ranges>

namespace imgmill {

using namespace std::literals;
using enum ImageFormat;
using enum FormatReader;
using enum Decoded;
using enum Compression;

// The loaders of libvips that are not here parse programs or documents (SVG, PDF, ImageMagick's hundred
// formats), or take any text or raw bytes for an image (CSV, matrix, raw), or are no photographs and rarely
// hardened (Matlab, FITS, Analyze, NIfTI, OpenSlide), or are read by ourselves (PNM). JPEG's serves metadata.
constexpr std::array<FormatFacts, static_cast<size_t>(kOther) + 1> kImageFormats = {{
    {kJpeg, "jpeg", "JPEG", kJpegRows, "Jpeg", kByRows, kLossy, ".jpg .jpeg .jpe .jfif .mpo", "images"},
    {kPng, "png", "PNG", kLibvips, "Png", kByRows, kLossless, ".png .apng"},
    {kWebp, "webp", "WebP", kLibvips, "Webp", kWhole, kEither, ".webp"},
    {kTiff, "tiff", "TIFF", kLibvips, "Tiff", kByRows, kEither, ".tif .tiff", "pages"},
    {kGif, "gif", "GIF", kLibvips, "Nsgif", kWhole, kLossless, ".gif"},
    {kHeif, "heif", "HEIF, AVIF", kLibvips, "Heif", kWhole, kEither, ".heic .heif .hif .avif .avifs",
     "images", "main one"},
    {kJxl, "jxl", "JPEG XL", kLibvips, "Jxl", kWhole, kEither, ".jxl"},
    {kJp2k, "jp2k", "JPEG 2000", kLibvips, "Jp2k", kByRows, kEither, ".jp2 .j2k .jpf .jpx"},
    {kPnm, "ppm", "PNM", kPnmRows, "", kByRows, kLossless, ".pnm .pbm .pgm .ppm .pam .pfm"},
    {kHdr, "hdr", "Radiance HDR", kLibvips, "Rad", kByRows, kLossless, ".hdr"},
    {kExr, "exr", "OpenEXR", kLibvips, "Openexr", kWhole, kLossless, ".exr"},
    {kBmp, "bmp", "BMP", kStills, "", kWhole, kLossless, ".bmp .dib"},
    {kTga, "tga", "TGA", kStills, "", kWhole, kLossless, ".tga"},
    {kIco, "ico", "ICO", kStills, "", kWhole, kLossless, ".ico", "images", "largest"},
    {kQoi, "qoi", "QOI", kStills, "", kWhole, kLossless, ".qoi"},
    {kDds, "dds", "DDS", kStills, "", kWhole, kEither, ".dds", "images"},
    {kSgi, "sgi", "SGI", kStills, "", kWhole, kLossless, ".sgi"},
    // None of them is an image: their frames are read, and by who asks for these only.
    {kVideo, "video", "video", kFrames, "", kWhole, kLossy,
     ".mp4 .m4v .mov .qt .mkv .webm .avi .ts .m2ts .mts .mpg .mpeg .mpe .m2v .vob .wmv .asf .flv .f4v .3gp "
     ".3g2 "
     ".ogv .mxf .dv .y4m .ivf .nut"},
    {kOther, "unknown", "", kNobody, "", kWhole, kLossless, ""},
}};
static_assert(std::ranges::adjacent_find(kImageFormats, std::greater_equal<>(), &FormatFacts::format) ==
              std::end(kImageFormats));

namespace {

// TGA has none, and PNM's is more than a few bytes.
constexpr Signature kSignatures[] = {
    {"\xff\xd8\xff", kJpeg},
    {"\x89PNG", kPng, "PNG"},
    {"GIF8", kGif, "GIF"},
    {"II*\0"sv, kTiff, "TIFF"},
    {"MM\0*"sv, kTiff, "TIFF"},
    {"II+\0"sv, kTiff, "BigTIFF"},
    {"MM\0+"sv, kTiff, "BigTIFF"},
    {"\xff\x4f\xff\x51", kJp2k, "JPEG 2000"},
    {"\0\0\0\x0cJXL "sv, kJxl},
    {"\xff\x0a", kJxl},
    {"#?RADIANCE", kHdr, "Radiance HDR"},
    {"#?RGBE", kHdr},
    {"\x76\x2f\x31\x01", kExr},
    {"BM", kBmp, "BMP"},
    {"\0\0\1\0"sv, kIco, "ICO"},
    {"qoif", kQoi, "QOI"},
    {"DDS ", kDds, "DDS"},
    {"\x01\xda", kSgi},
    {"P7\n", kPnm},
    {"RIFF....WEBP", kWebp, "WebP"},
    {"....jP  ", kJp2k, "JPEG 2000"},
    {"....ftyphe", kHeif, "HEIF"},
    {"....ftypmif1", kHeif, "HEIF"},
    {"....ftypavi", kHeif, "AVIF"},
    {"....ftypis", kVideo, "an MP4 video"},
    {"....ftypmp4", kVideo, "an MP4 video"},
    {"....ftypavc1", kVideo, "an MP4 video"},
    {"....ftypM4", kVideo, "an MP4 video"},
    {"....ftypdash", kVideo, "an MP4 video"},
    {"....ftypcmf", kVideo, "an MP4 video"},
    {"....ftypMSNV", kVideo, "an MP4 video"},
    {"....ftypXAVC", kVideo, "an MP4 video"},
    {"....ftypf4v", kVideo, "an MP4 video"},
    {"....ftyp3g", kVideo, "a 3GPP video"},
    {"....ftypqt", kVideo, "a QuickTime video"},
    {"....moov", kVideo, "a QuickTime video"},
    {"....mdat", kVideo, "a QuickTime video"},
    {"....wide", kVideo, "a QuickTime video"},
    {"\x1a\x45\xdf\xa3", kVideo, "a Matroska or WebM video"},
    {"RIFF....AVI ", kVideo, "an AVI video"},
    {"\0\0\1\xba"sv, kVideo, "an MPEG video"},
    {"\0\0\1\xb3"sv, kVideo, "an MPEG video"},
    {"FLV\1", kVideo, "a Flash video"},
    {"\x30\x26\xb2\x75\x8e\x66\xcf\x11", kVideo, "a Windows Media video"},
    {"OggS", kVideo, "an Ogg file"},
    {"\x06\x0e\x2b\x34\x02\x05\x01\x01", kVideo, "an MXF video"},
    {"YUV4MPEG2 ", kVideo, "a YUV4MPEG2 video"},
    {"DKIF", kVideo, "an IVF video"},
    {"....ftyp....", kHeif},
};

/// P1 to P6, Pf or PF, and then white space or a comment.
bool BeginsAsPnm(std::string_view head) {
  return head.size() >= 3 && head[0] == 'P' && "123456Ff"sv.find(head[1]) != head.npos &&
         (head[2] == '#' || std::isspace(static_cast<unsigned char>(head[2])) != 0);
}

}  // namespace

bool Begins(std::string_view head, std::string_view pattern) {
  return std::ranges::equal(head.substr(0, pattern.size()), pattern,
                            [](char byte, char wanted) { return wanted == '.' || wanted == byte; });
}

Signature SignatureOf(std::string_view head) {
  if (BeginsAsPnm(head)) return {head.substr(0, 2), kPnm};
  const auto* found = std::ranges::find_if(
      kSignatures, [&](const Signature& signature) { return Begins(head, signature.pattern); });
  return found == std::end(kSignatures) ? Signature{} : *found;
}

}  // namespace imgmill
