/* Runs under ASan and UBSan; prints one line. */
#include "opus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static void check(int is_true, const char *what) {
  if (is_true) {
    passed++;
    return;
  }
  failed++;
  fprintf(stderr, "failed: %s\n", what);
}

static struct pf_opus_config stereo(void) {
  return (struct pf_opus_config){.channels = 2,
                                 .streams = 1,
                                 .coupled_streams = 1,
                                 .bitrate_bps = 96000,
                                 .frame_samples = 240,
                                 .mapping = {0, 1}};
}

static int32_t open_status(struct pf_opus_config config) {
  struct pf_opus_encoder *encoder = NULL;
  struct pf_opus_decoder *decoder = NULL;
  const int32_t status = pf_opus_encoder_open(&config, sizeof config, &encoder);
  const int32_t decoder_status = pf_opus_decoder_open(&config, sizeof config, &decoder);
  if (config.bitrate_bps == 96000) check(status == decoder_status, "encoder and decoder take the same layouts");
  pf_opus_encoder_close(encoder);
  pf_opus_decoder_close(decoder);
  return status;
}

static void test_layouts(void) {
  struct pf_opus_config config = stereo();
  check(open_status(config) == PF_OPUS_OK, "stereo");
  config.bitrate_bps = PF_OPUS_BITRATE_MIN;
  check(open_status(config) == PF_OPUS_OK, "lowest rate");
  config.bitrate_bps = PF_OPUS_BITRATE_MIN - 1;
  check(open_status(config) == PF_OPUS_EINVAL, "rate too low");
  config.bitrate_bps = PF_OPUS_BITRATE_MAX + 1;
  check(open_status(config) == PF_OPUS_EINVAL, "rate too high");
  config = stereo();
  config.frame_samples = 241;
  check(open_status(config) == PF_OPUS_EINVAL, "frame of another length");
  config = stereo();
  config.mapping[1] = 0;
  check(open_status(config) == PF_OPUS_EINVAL, "a stream channel that nothing feeds");
  config = stereo();
  config.mapping[1] = 2;
  check(open_status(config) == PF_OPUS_EINVAL, "a stream channel that is not there");
  config = stereo();
  config.streams = 2;
  check(open_status(config) == PF_OPUS_EINVAL, "more stream channels than channels");
  config = stereo();
  config.channels = 9;
  check(open_status(config) == PF_OPUS_EINVAL, "nine channels");
}

/* Every packet has the computed size, and what comes back correlates with what went in, channel by channel. */
static void test_round_trip(struct pf_opus_config config, int32_t size) {
  struct pf_opus_encoder *encoder;
  struct pf_opus_decoder *decoder;
  check(pf_opus_encoder_open(&config, sizeof config, &encoder) == PF_OPUS_OK, "encoder");
  check(pf_opus_decoder_open(&config, sizeof config, &decoder) == PF_OPUS_OK, "decoder");
  const uint32_t frame = config.frame_samples, channels = config.channels, frames = 40;
  const size_t pcm_len = sizeof(float) * frame * channels;
  float *in = malloc(pcm_len), *out = malloc(pcm_len);
  uint8_t *packet = malloc((size_t)size);
  double energy[PF_OPUS_CHANNELS_MAX][PF_OPUS_CHANNELS_MAX][2] = {{{0}}};
  for (uint32_t n = 0; n < frames; n++) {
    for (uint32_t i = 0; i < frame; i++) {
      for (uint32_t c = 0; c < channels; c++) {
        in[i * channels + c] = n < 4 ? 0.0f : (float)(0.25 * sin((n * frame + i) * 6.2831853 * (300 + 200 * c) / 48000.0));
      }
    }
    check(pf_opus_encode(encoder, in, pcm_len, packet, (size_t)size) == size, "packets of one size");
    check(pf_opus_decode(decoder, packet, (size_t)size, out, pcm_len) == PF_OPUS_OK, "decode");
    for (uint32_t i = 0; n >= 20 && i < frame; i++) {
      for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t tone = 0; tone < channels; tone++) {
          const double phase = (n * frame + i) * 6.2831853 * (300 + 200 * tone) / 48000.0;
          energy[c][tone][0] += out[i * channels + c] * sin(phase);
          energy[c][tone][1] += out[i * channels + c] * cos(phase);
        }
      }
    }
  }
  for (uint32_t c = 0; c < channels; c++) {
    uint32_t loudest = 0;
    double most = 0;
    for (uint32_t tone = 0; tone < channels; tone++) {
      const double power = hypot(energy[c][tone][0], energy[c][tone][1]);
      if (power > most) most = power, loudest = tone;
    }
    check(loudest == c, "each channel carries its own tone");
    check(fabs(most / (20.0 * frame) * 2 - 0.25) < 0.03, "at its own level");
  }
  check(pf_opus_encode(encoder, in, pcm_len - 4, packet, (size_t)size) == PF_OPUS_EINVAL, "a sample short");
  check(pf_opus_encode(encoder, in, pcm_len, packet, (size_t)size - 1) == PF_OPUS_EINVAL, "no room for the packet");
  check(pf_opus_decode(decoder, packet, 0, out, pcm_len) == PF_OPUS_OK, "a lost packet is concealed");
  check(pf_opus_decode(decoder, packet, (size_t)size, out, pcm_len - 4) == PF_OPUS_EINVAL, "no room for the sound");
  check(pf_opus_decode(decoder, packet, PF_OPUS_PACKET_SIZE_MAX + 1, out, pcm_len) == PF_OPUS_EINVAL, "too long");
  for (size_t i = 0; i < (size_t)size; i++) packet[i] = (uint8_t)(i * 37 + 3); /* another configuration */
  for (size_t length = 1; length <= (size_t)size; length++) {
    const int32_t status = pf_opus_decode(decoder, packet, length, out, pcm_len);
    check(status == PF_OPUS_OK || status == PF_OPUS_EPACKET, "damaged packets");
  }
  free(in);
  free(out);
  free(packet);
  pf_opus_encoder_close(encoder);
  pf_opus_decoder_close(decoder);
}

/* What others encode may be longer than what we do. */
static void test_decoder_durations(void) {
  static const struct { uint32_t samples; int32_t status; } cases[] = {
      {119, PF_OPUS_EINVAL}, {120, PF_OPUS_OK}, {180, PF_OPUS_EINVAL}, {960, PF_OPUS_OK}, {5760, PF_OPUS_OK},
      {5880, PF_OPUS_EINVAL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pf_opus_config config = stereo();
    config.frame_samples = cases[i].samples;
    struct pf_opus_decoder *decoder = NULL;
    check(pf_opus_decoder_open(&config, sizeof config, &decoder) == cases[i].status, "decoder duration");
    pf_opus_decoder_close(decoder);
  }
}

int main(void) {
  check(pf_opus_abi() == PF_OPUS_ABI, "abi");
  test_layouts();
  test_round_trip(stereo(), 60);
  struct pf_opus_config config = stereo();
  config.bitrate_bps = 512000;
  config.frame_samples = 480;
  test_round_trip(config, 640);
  test_decoder_durations();
  config = (struct pf_opus_config){6, 4, 2, 256000, 240, {0, 1, 4, 5, 2, 3}};
  test_round_trip(config, 160);
  config = (struct pf_opus_config){8, 5, 3, 450000, 240, {0, 1, 2, 3, 4, 5, 6, 7}};
  test_round_trip(config, 281);
  config = (struct pf_opus_config){8, 8, 0, 2048000, 240, {0, 1, 2, 3, 4, 5, 6, 7}};
  test_round_trip(config, 1280);
  pf_opus_encoder_close(NULL);
  pf_opus_decoder_close(NULL);
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
